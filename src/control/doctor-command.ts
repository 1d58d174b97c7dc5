import type { Command } from 'commander'
import type { Examination } from '../model/examination.ts'
import { ask } from './client.ts'
import { type CommandSetting, isColoured } from './commands.ts'
import { configDefaultText, configPathFor } from './config-path.ts'
import { type DaemonWords, daemonWords, isForbidden } from './finding.ts'
import { exitCodes } from './show.ts'
import { painter } from './text.ts'

/** How this machine is looked at. */
export type Examine = (
  configPath: string,
  daemon: DaemonWords | null,
  isForbidden: boolean,
) => Promise<Examination>

interface GivenOptions {
  readonly socket: string
  readonly config?: string
  readonly json?: boolean
}

/** Adds `doctor`, which works without lnetd as well. */
export function describeDoctor(program: Command, { terminal, exit }: CommandSetting, examine: Examine): void {
  program
    .command('doctor')
    .description('check this machine and the ways to its members: what is wrong, why it matters, what to do')
    .option('--json', 'print JSON')
    .option('--config <path>', `the configuration to check (${configDefaultText})`)
    .addHelpText('after', '\nExits with 4 when something is wrong. Changes nothing.')
    .action(async (_, command: Command) => {
      const given = command.optsWithGlobals<GivenOptions>()
      const { diagnose, doctorPage, doctorView } = await import('./doctor.ts')
      const { socket } = given
      const status = await ask(socket, 'status')
      const daemon = daemonWords(status, await ask(socket, 'peers'))
      const config = await configPathFor(given.config, socket)
      const view = doctorView(diagnose(await examine(config, daemon, isForbidden(status)), daemon))
      const paint = painter(isColoured(given, terminal))
      terminal.out(
        given.json === true
          ? `${JSON.stringify(view, null, 2)}\n`
          : doctorPage(view, paint, terminal.columns),
      )
      exit(view.healthy ? exitCodes.ok : exitCodes.degraded)
    })
}
