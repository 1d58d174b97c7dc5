import { createReadStream } from 'node:fs'
import type { WriteStream } from 'node:tty'
import { Command, CommanderError } from 'commander'
import { describeBugReport } from './control/bug-report-command.ts'
import { type CommandSetting, describeActions, describeReadings } from './control/commands.ts'
import { describeProgram } from './control/description.ts'
import { describeDoctor, type Examine } from './control/doctor-command.ts'
import { describeEvents } from './control/events-command.ts'
import { describeExport, type ExportMachine } from './control/export-command.ts'
import { askHidden } from './control/hidden-line.ts'
import { describeImport, type ImportMachine } from './control/import-command.ts'
import { describeNames, type NamesMachine } from './control/names-command.ts'
import { describePing } from './control/ping-command.ts'
import { openScreen } from './control/screen.ts'
import { describeSetup, type SetupMachine } from './control/setup-commands.ts'
import { type ExitCode, exitCodes, type Terminal } from './control/show.ts'
import { describeTop } from './control/top-command.ts'
import { columnsOf, wrappedLines } from './control/wrap.ts'
import { keepMemoryOutOfCores } from './host/crash.ts'
import { withoutTokens } from './mesh/token.ts'
import { defaultSocket } from './model/configuration.ts'
import { failed, ok, type Result } from './model/failure.ts'
import { tokenCharactersMax } from './model/limits.ts'
import { software } from './model/software.ts'

const terminal: Terminal = {
  out: text => void process.stdout.write(text),
  // People put the token in wrong places of a command line, which errors quote.
  err: text => void process.stderr.write(wrappedLines(withoutTokens(text), columnsOf(process.stderr))),
  isTerminal: process.stdout.isTTY === true,
  isPlain: (process.env.NO_COLOR ?? '') !== '',
  get columns() {
    return columnsOf(process.stdout)
  },
}

const exitCodeHelp = `
Exit codes: 0 done, 1 an error, 2 wrong usage, 3 lnetd is not reachable, 4 degraded (status --check, doctor).`

/** What needs the files or the service manager of this machine is loaded when it is used: `peers` starts faster. */
const setupMachine: SetupMachine & ImportMachine & ExportMachine = {
  initialise: async options => (await import('./host/setup.ts')).initialise(options),
  join: async options => (await import('./host/setup.ts')).join(options),
  makeToken: async options => (await import('./host/setup.ts')).makeToken(options),
  ownKeys: async config => (await import('./host/own-keys.ts')).readOwnKeys(config),
  qrCode: async text => (await import('uqr')).renderUnicodeCompact(text),
  importWgQuick: async options =>
    (await import('./host/import.ts')).importWgQuick(
      options,
      (await import('./kernel/running.ts')).readRunning,
    ),
  readToken,
  startService: async () => (await import('./kernel/service.ts')).startService(),
}

const namesMachine: NamesMachine = {
  readNames: async path => (await import('./host/hosts-file.ts')).readNames(path),
  putNames: async (path, entries) => (await import('./host/hosts-file.ts')).putNames(path, entries),
}

const examine: Examine = async (...asked) => (await import('./daemon/examine.ts')).examine(...asked)

keepMemoryOutOfCores()

// A reader that has seen enough (`lnetctl peers | head -1`) is no error.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))

main(process.argv).then(
  code => {
    process.exitCode = code
  },
  (error: Error) => {
    terminal.err(`lnetctl: ${error.message}\n`)
    process.exitCode = exitCodes.error
  },
)

async function main(argv: readonly string[]): Promise<ExitCode> {
  let code: ExitCode = exitCodes.ok
  const setting = {
    terminal,
    software,
    exit: (ended: ExitCode) => {
      code = ended
    },
  }
  try {
    await describe(setting).parseAsync(argv)
    return code
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
  }
}

function describe(setting: CommandSetting): Command {
  const program = new Command('lnetctl')
    .description('Look at and steer lnetd, the layer-2 mesh of this machine.')
    .option('--socket <path>', 'where lnetd listens', defaultSocket)
    .version(`lnetctl ${software}`, '--version', 'show the version of lnetctl')
    .addHelpText('after', exitCodeHelp)
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError('(lnetctl --help shows what there is)')
    .configureOutput({ writeOut: terminal.out, writeErr: terminal.err })
    .exitOverride()
  describeSetup(program, setting, setupMachine)
  describeImport(program, setting, setupMachine)
  describeExport(program, setting, setupMachine)
  describeReadings(program, setting)
  describeEvents(program, setting)
  describeNames(program, setting, namesMachine)
  describeTop(program, setting, () => openScreen(process.stdin, process.stdout))
  describePing(program, setting, async request => (await import('./kernel/ping.ts')).ping(request))
  describeDoctor(program, setting, examine)
  describeBugReport(program, setting, {
    examine,
    gather: async config => (await import('./daemon/bug-report.ts')).gatherReport(config),
    write: async archive => (await import('./host/archive.ts')).writeArchive(archive),
  })
  describeActions(program, setting)
  program.helpCommand('help [command]', 'show the help of a command')
  program
    .command('describe', { hidden: true })
    .description('print all that lnetctl can be told as JSON; the package makes manual and completions of it')
    .action(() => terminal.out(`${JSON.stringify(describeProgram(program), null, 2)}\n`))
  return program
}

async function readToken(file: string | null): Promise<Result<string>> {
  if (file === null && process.stdin.isTTY) return await askToken()
  const stream = file === null ? process.stdin : createReadStream(file)
  try {
    let text = ''
    for await (const chunk of stream) {
      text += String(chunk)
      if (text.length > tokenCharactersMax) return failed('what was read is longer than a token')
    }
    return ok(text.trim())
  } catch (error) {
    return failed('the token could not be read', { why: (error as Error).message })
  }
}

/** On a terminal, where it is not shown: what is shown stays on screens and in recordings. */
async function askToken(): Promise<Result<string>> {
  const read = await askHidden(
    'Paste the token that `lnetctl token` prints on a member (it is not shown), then press Enter: ',
    process.stdin,
    process.stderr as WriteStream,
    2 * tokenCharactersMax,
  )
  return read === null ? failed('no token was given') : ok(read.trim())
}
