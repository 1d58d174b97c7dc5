import type { Command } from 'commander'
import type { Examination } from '../model/examination.ts'
import { ask } from './client.ts'
import { type CommandSetting, isColoured } from './commands.ts'
import { type DaemonWords, daemonWords } from './finding.ts'
import type { PeersView } from './protocol.ts'
import { defaultConfigPath } from './setup-commands.ts'
import { exitCodes } from './show.ts'
import { painter } from './text.ts'

/** How this machine is looked at. */
export type Examine = (configPath: string, peers: PeersView | null) => Promise<Examination>

interface GivenOptions {
  readonly socket: string
  readonly config: string
  readonly json?: boolean
}

/** Adds `doctor`, which works without lnetd as well. */
export function describeDoctor(program: Command, { terminal, exit }: CommandSetting, examine: Examine): void {
  program
    .command('doctor')
    .description('check this machine and the ways to its members: what is wrong, why it matters, what to do')
    .option('--json', 'print JSON')
    .option('--config <path>', 'the configuration to check', defaultConfigPath)
    .addHelpText('after', '\nExits with 4 when something is wrong. Changes nothing.')
    .action(async (_, command: Command) => {
      const given = command.optsWithGlobals<GivenOptions>()
      const { diagnose, doctorPage, doctorView } = await import('./doctor.ts')
      const daemon = await askDaemon(given.socket)
      const view = doctorView(diagnose(await examine(given.config, daemon?.peers ?? null), daemon))
      const paint = painter(isColoured(given, terminal))
      terminal.out(given.json === true ? `${JSON.stringify(view, null, 2)}\n` : doctorPage(view, paint))
      exit(view.healthy ? exitCodes.ok : exitCodes.degraded)
    })
}

async function askDaemon(socket: string): Promise<DaemonWords | null> {
  return daemonWords(await ask(socket, 'status'), await ask(socket, 'peers'))
}
