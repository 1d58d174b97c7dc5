import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import {
  type Asking,
  askPeer,
  askPeers,
  askPlan,
  askStatus,
  askVersion,
  orderAction,
} from './control/questions.ts'
import { type Answered, type ExitCode, exitCodes, show, type Terminal } from './control/show.ts'
import { painter } from './control/text.ts'
import { watchSecondsDefault, watchSecondsMax, watchSecondsMin } from './model/limits.ts'
import { software } from './model/software.ts'

interface ReadingOptions {
  readonly socket: string
  readonly json?: boolean
  readonly watch?: number | boolean
  readonly header?: boolean
  readonly check?: boolean
}

const terminal: Terminal = {
  out: text => void process.stdout.write(text),
  err: text => void process.stderr.write(text),
  isTerminal: process.stdout.isTTY === true,
}

const exitCodeHelp = `
Exit codes: 0 done, 1 an error, 2 wrong usage, 3 lnetd is not reachable, 4 degraded (status --check).`

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
  const program = describe(exit => {
    code = exit
  })
  try {
    await program.parseAsync(argv)
    return code
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
  }
}

function describe(exit: (code: ExitCode) => void): Command {
  const program = new Command('lnetctl')
    .description('Look at and steer lnetd, the layer-2 mesh of this machine.')
    .option('--socket <path>', 'where lnetd listens', '/run/lnetd/lnetd.sock')
    .addHelpText('after', exitCodeHelp)
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError('(lnetctl --help shows what there is)')
    .configureOutput({ writeOut: terminal.out, writeErr: terminal.err })
    .exitOverride()
  describeReadings(program, exit)
  describeActions(program, exit)
  program.helpCommand('help [command]', 'show the help of a command')
  return program
}

function describeReadings(program: Command, exit: (code: ExitCode) => void): void {
  const run =
    (ask: (asking: Asking, options: ReadingOptions, argument: string) => Promise<Answered>) =>
    async (...given: unknown[]): Promise<void> => {
      const options = (given.at(-1) as Command).optsWithGlobals<ReadingOptions>()
      const asking = { socket: options.socket, paint: painter(isColoured(options)) }
      exit(await show(() => ask(asking, options, String(given[0])), showOptions(options), terminal))
    }

  reading(program, 'peers', 'list this node and every member of the mesh').action(
    run((asking, { header }) => askPeers(asking, header !== false)),
  )
  reading(program, 'peer', 'show everything known of one member')
    .argument('<name>', 'its name, its node id, or the beginning of its id')
    .action(run((asking, _, name) => askPeer(asking, name)))
  reading(program, 'status', 'explain how this node is doing')
    .addOption(new Option('--check', 'exit with 4 when degraded or not ready').conflicts('watch'))
    .action(run((asking, { check }) => askStatus(asking, check === true)))
  reading(program, 'plan', 'print what lnetd would change in the kernel now, a line a step').action(
    run(asking => askPlan(asking)),
  )
  program
    .command('version')
    .description('print the versions of lnetctl and of the running lnetd')
    .option('--json', 'print JSON')
    .action(run(asking => askVersion(asking, software)))
}

function describeActions(program: Command, exit: (code: ExitCode) => void): void {
  const run = (action: 'down' | 'leave') => async (_: object, command: Command) => {
    const options = command.optsWithGlobals<ReadingOptions>()
    const asking = { socket: options.socket, paint: painter(false) }
    exit(await show(() => orderAction(asking, action), showOptions(options), terminal))
  }
  program
    .command('leave')
    .description('say farewell to the mesh, take the tunnel and segments away, and end lnetd')
    .option('--json', 'print JSON')
    .action(run('leave'))
  program
    .command('down')
    .description('take the tunnel and segments away and end lnetd; the mesh keeps this node in mind')
    .option('--json', 'print JSON')
    .action(run('down'))
}

function reading(program: Command, name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .option('--json', 'print JSON (watched: one document a line)')
    .option('--watch [seconds]', `ask again every so many seconds (${watchSecondsDefault})`, parseSeconds)
    .option('--no-header', 'leave out the line of column names')
}

function parseSeconds(text: string): number {
  const seconds = Number(text)
  if (text.trim() !== '' && seconds >= watchSecondsMin && seconds <= watchSecondsMax) return seconds
  throw new InvalidArgumentError(`Give a number from ${watchSecondsMin} to ${watchSecondsMax}.`)
}

function showOptions({ json, watch }: ReadingOptions): { json: boolean; watchSeconds: number | null } {
  const watchSeconds = watch === undefined ? null : watch === true ? watchSecondsDefault : Number(watch)
  return { json: json === true, watchSeconds }
}

/** https://no-color.org: any value that is not empty. */
function isColoured({ json }: ReadingOptions): boolean {
  return terminal.isTerminal && json !== true && (process.env.NO_COLOR ?? '') === ''
}
