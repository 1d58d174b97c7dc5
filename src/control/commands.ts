import { type Command, InvalidArgumentError, Option } from 'commander'
import { watchSecondsDefault, watchSecondsMax, watchSecondsMin } from '../model/limits.ts'
import type { Action } from './protocol.ts'
import {
  type Asking,
  askPeer,
  askPeers,
  askPlan,
  askStatus,
  askVersion,
  orderAction,
  orderForget,
} from './questions.ts'
import { type Answered, type ExitCode, type ShowOptions, show, type Terminal } from './show.ts'
import { painter } from './text.ts'

/** What the commands need of the process they run in. */
export interface CommandSetting {
  readonly terminal: Terminal
  /** The version of lnetctl. */
  readonly software: string
  /** How a command ended. */
  exit(code: ExitCode): void
}

interface GivenOptions {
  readonly socket: string
  readonly json?: boolean
  readonly watch?: number | boolean
  readonly header?: boolean
  readonly check?: boolean
}

/** Adds the commands that ask lnetd something: peers, peer, status, plan, version. */
export function describeReadings(program: Command, setting: CommandSetting): void {
  const run =
    (ask: (asking: Asking, options: GivenOptions, argument: string) => Promise<Answered>) =>
    async (...given: unknown[]): Promise<void> => {
      const options = (given.at(-1) as Command).optsWithGlobals<GivenOptions>()
      const asking = { socket: options.socket, paint: painter(isColoured(options, setting.terminal)) }
      const question = () => ask({ ...asking, columns: setting.terminal.columns }, options, String(given[0]))
      setting.exit(await show(question, showOptions(options), setting.terminal))
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
    .action(run(asking => askVersion(asking, setting.software)))
}

/** Adds the commands that change something: leave, down, forget. */
export function describeActions(program: Command, setting: CommandSetting): void {
  const run = (action: Action) => async (_: object, command: Command) => {
    const options = command.optsWithGlobals<GivenOptions>()
    const asking = { socket: options.socket, paint: painter(false) }
    setting.exit(await show(() => orderAction(asking, action), showOptions(options), setting.terminal))
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
  program
    .command('forget')
    .description(
      'remove a dead member from what this node knows; one that lives would come back, and is refused',
    )
    .argument('<name>', 'its name, its node id, or the beginning of its id')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nOther nodes know it until they forget it, too. It comes back when its lnetd runs again.',
    )
    .action(async (name: string, _, command: Command) => {
      const options = command.optsWithGlobals<GivenOptions>()
      const asking = { socket: options.socket, paint: painter(false) }
      setting.exit(await show(() => orderForget(asking, name), showOptions(options), setting.terminal))
    })
}

function reading(program: Command, name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .option('--json', 'print JSON (watched: one document a line)')
    .option('--watch [seconds]', `ask again every so many seconds (${watchSecondsDefault})`, parseSeconds)
    .option('--no-header', 'leave out the line of column names')
}

/** Between two looks. */
export function parseSeconds(text: string): number {
  const seconds = Number(text)
  if (text.trim() !== '' && seconds >= watchSecondsMin && seconds <= watchSecondsMax) return seconds
  throw new InvalidArgumentError(`Give a number from ${watchSecondsMin} to ${watchSecondsMax}.`)
}

function showOptions({ json, watch }: GivenOptions): ShowOptions {
  const watchSeconds = watch === undefined ? null : watch === true ? watchSecondsDefault : Number(watch)
  return { json: json === true, watchSeconds }
}

/** On a terminal, unless told otherwise. */
export function isColoured({ json }: { readonly json?: boolean }, terminal: Terminal): boolean {
  return terminal.isTerminal && !terminal.isPlain && json !== true
}
