import type { Command } from 'commander'
import { sentenceOf } from '../model/explanation.ts'
import type { Result } from '../model/failure.ts'
import type { Archive, ReportMaterial } from '../model/report.ts'
import type { DaemonReplies } from './bug-report.ts'
import { ask } from './client.ts'
import type { CommandSetting } from './commands.ts'
import { configDefaultText, configPathFor } from './config-path.ts'
import type { Examine } from './doctor-command.ts'
import { daemonWords, isForbidden } from './finding.ts'
import { type ExitCode, exitCodes } from './show.ts'
import { painter, printable } from './text.ts'

/** What `bugreport` needs of this machine. */
export interface ReportMachine {
  gather(configPath: string): Promise<ReportMaterial>
  readonly examine: Examine
  /** A tar.gz for its owner alone; its length in bytes. Overwrites nothing. */
  write(archive: Archive): Promise<Result<number>>
}

interface GivenOptions {
  readonly socket: string
  readonly config?: string
  readonly output?: string
}

/** Adds `bugreport`, which works without lnetd as well. */
export function describeBugReport(program: Command, setting: CommandSetting, machine: ReportMachine): void {
  program
    .command('bugreport')
    .description('write one archive for a bug report, without secrets and public addresses')
    .option('--output <path>', 'the file to write (default: lnet-bugreport-NODE-DATE.tar.gz, here)')
    .option('--config <path>', `the configuration of this node (${configDefaultText})`)
    .addHelpText('after', '\nChanges nothing, and sends nothing. Run it as root: it finds out more.')
    .action(async (_, command: Command) => {
      setting.exit(await report(command.optsWithGlobals<GivenOptions>(), setting, machine))
    })
}

async function report(
  { socket, config: given, output }: GivenOptions,
  { terminal, software }: CommandSetting,
  machine: ReportMachine,
): Promise<ExitCode> {
  const [{ bugReport, bugReportPage }, { diagnose, doctorPage, doctorView }] = await Promise.all([
    import('./bug-report.ts'),
    import('./doctor.ts'),
  ])
  const replies = await askAll(socket)
  const { peers, status } = replies
  const config = await configPathFor(given, socket)
  const daemon = daemonWords(status, peers)
  const found = await machine.examine(config, daemon, isForbidden(status))
  const doctor = doctorPage(doctorView(diagnose(found, daemon)), painter(false))
  const material = await machine.gather(config)
  const at = Date.now()
  const made = bugReport({ replies, doctor, material, software, at })
  const path = output ?? `${made.name}.tar.gz`
  const written = await machine.write({ path, directory: made.name, files: made.files, at })
  if (!written.ok) {
    terminal.err(`lnetctl: ${printable(sentenceOf(written.failure))}\n`)
    return exitCodes.error
  }
  terminal.out(bugReportPage(path, written.value, made))
  return exitCodes.ok
}

async function askAll(socket: string): Promise<DaemonReplies> {
  const [version, status, peers, plan, events] = await Promise.all([
    ask(socket, 'version'),
    ask(socket, 'status'),
    ask(socket, 'peers'),
    ask(socket, 'plan'),
    ask(socket, 'events'),
  ])
  return { version, status, peers, plan, events }
}
