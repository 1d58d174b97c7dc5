import { type Command, Option } from 'commander'
import { sentenceOf } from '../model/explanation.ts'
import type { Result } from '../model/failure.ts'
import type { MeshId } from '../model/node.ts'
import { awaitArrival, type StartedService } from './arrival.ts'
import { ask, order } from './client.ts'
import type { CommandSetting } from './commands.ts'
import { configDefaultText, configPathFor, defaultConfigPath } from './config-path.ts'
import { type ExitCode, exitCodes, type Terminal } from './show.ts'
import { printable } from './text.ts'

/** What the commands that set a machine up have done to it. */
export interface SetupMachine {
  initialise(options: SetupOptions): Promise<Result<Done>>
  join(options: SetupOptions & { readonly token: string }): Promise<Result<Done>>
  makeToken(options: TokenOptions): Promise<Result<string>>
  /** A token from a file; null: from standard input. */
  readToken(file: string | null): Promise<Result<string>>
  /** Null where no service manager knows lnetd. */
  startService(): Promise<Result<StartedService | null>>
}

export interface SetupOptions {
  readonly configPath: string
  readonly secretPath?: string | undefined
  readonly name?: string | undefined
  readonly force?: boolean | undefined
}

export interface TokenOptions {
  readonly configPath: string
  readonly bootstrap?: readonly string[] | undefined
}

interface Done {
  readonly mesh: MeshId
  readonly written: readonly string[]
  readonly backups: readonly string[]
  readonly next: readonly string[]
}

interface GivenOptions {
  readonly socket: string
  readonly config: string
  readonly secretFile?: string
  readonly name?: string
  readonly force?: boolean
  readonly start?: boolean
  readonly tokenFile?: string
  readonly bootstrap?: readonly string[]
}

type TokenGiven = Pick<GivenOptions, 'socket' | 'bootstrap'> & { readonly config?: string }

/** Adds the commands that work without a daemon: init, token, join. */
export function describeSetup(program: Command, setting: CommandSetting, machine: SetupMachine): void {
  const { terminal } = setting
  settingUp(program, 'init', 'make the configuration and the secret of a new mesh').action(
    async (_, command: Command) => {
      const given = command.optsWithGlobals<GivenOptions>()
      const done = await machine.initialise(setupOptions(given))
      setting.exit(await finish(done, given, false, machine, terminal))
    },
  )
  program
    .command('token')
    .description('print the token other machines join with; it holds the mesh secret')
    .option('--config <path>', `the configuration to read (${configDefaultText})`)
    .option('--bootstrap <place...>', 'where this node can be reached: host, host:port or a multiaddr')
    .action(async (_, command: Command) => {
      const { socket, config, bootstrap } = command.optsWithGlobals<TokenGiven>()
      const token = await machine.makeToken({ configPath: await configPathFor(config, socket), bootstrap })
      if (!token.ok) return setting.exit(refuse(terminal, sentenceOf(token.failure)))
      // Alone on standard output, so that it can be piped.
      terminal.err(`${joinHint}\n`)
      setting.exit(tell(terminal, [token.value]))
    })
  settingUp(program, 'join', 'make the configuration and the secret of a node that joins a mesh')
    .argument(
      '[token]',
      'what `lnetctl token` prints on a member; left out or -, it is read from standard input, without echo on a terminal',
    )
    .option('--token-file <path>', 'read the token from a file (- for standard input)')
    .action(async (word: string | undefined, _, command: Command) => {
      const given = command.optsWithGlobals<GivenOptions>()
      const { tokenFile } = given
      if (word !== undefined && tokenFile !== undefined)
        command.error('error: give the token or --token-file, not both')
      if (word !== undefined && word !== '-') terminal.err(exposedWarning)
      const token = await readToken(word, tokenFile, machine)
      const done = token.ok ? await machine.join({ ...setupOptions(given), token: token.value }) : token
      setting.exit(await finish(done, given, true, machine, terminal))
    })
}

/** A command that writes a configuration, with the options all of them take. */
export function settingUp(program: Command, command: string, description: string): Command {
  return program
    .command(command)
    .description(description)
    .option('--name <name>', 'what this node is called (default: the hostname)')
    .addOption(new Option('--config <path>', 'the configuration to write').default(defaultConfigPath))
    .option('--secret-file <path>', 'the secret to write (default: mesh.secret beside the configuration)')
    .option('--force', 'replace what is there already, and keep a backup of it')
    .option('--start', 'start the service, now and at every boot, and say how it went')
}

function setupOptions({ config, secretFile, name, force }: GivenOptions): SetupOptions {
  return { configPath: config, secretPath: secretFile, name, force }
}

/** What the other machines need, in two pieces: a token in a command line is a secret given away. */
const joinHint = `On each other machine run

  sudo lnetctl join --start

and paste this token. It holds the mesh secret: whoever has it can join.
`

const exposedWarning = `warning: the token on the command line shows the mesh secret in the shell history, in the log of sudo and, while this runs, in the process list
warning: remove it from the history (history -d) and from that log; next time run \`lnetctl join\` without it, which asks for it
`

/** A token as a word, from a file, or from standard input. */
export async function readToken(
  word: string | undefined,
  file: string | undefined,
  machine: Pick<SetupMachine, 'readToken'>,
): Promise<Result<string>> {
  if (word !== undefined && word !== '-') return { ok: true, value: word }
  return machine.readToken(file === undefined || file === '-' ? null : file)
}

/** Tells what was written and what comes next, which with `--start` is done. `joins`: others have to be met. */
async function finish(
  done: Result<Done>,
  given: GivenOptions,
  joins: boolean,
  machine: SetupMachine,
  terminal: Terminal,
): Promise<ExitCode> {
  if (!done.ok) return refuse(terminal, sentenceOf(done.failure))
  const { written, backups, next } = done.value
  tell(terminal, [...backups.map(path => `kept ${path}`), ...written.map(path => `wrote ${path}`)])
  if (given.start !== true) return tell(terminal, next)
  if (given.config !== defaultConfigPath)
    return refuse(terminal, `the service reads ${defaultConfigPath}: start lnetd yourself\n${next[0]}`)
  await makeRoom(given.socket, done.value.mesh)
  const started = await machine.startService()
  if (!started.ok) return refuse(terminal, sentenceOf(started.failure))
  if (started.value === null)
    return refuse(terminal, `there is no service lnetd on this machine: start lnetd yourself\n${next[0]}`)
  const arrival = await awaitArrival(given.socket, joins, started.value)
  if (arrival.state !== 'in') return refuse(terminal, arrival.reasons.join('\n'))
  tell(terminal, [arrival.sentence, ...arrival.notices])
  return joins ? exitCodes.ok : tellNextMachine(given, machine, terminal)
}

/** The devices of another mesh would keep lnetd from starting. Those of the same one go on carrying traffic. */
async function makeRoom(socket: string, mesh: MeshId): Promise<void> {
  const before = await ask(socket, 'status')
  if (before.ok && before.view.mesh !== mesh) await order(socket, 'down')
}

async function tellNextMachine(
  { config }: GivenOptions,
  machine: SetupMachine,
  terminal: Terminal,
): Promise<ExitCode> {
  const token = await machine.makeToken({ configPath: config })
  if (!token.ok) return refuse(terminal, sentenceOf(token.failure))
  return tell(terminal, [...joinHint.split('\n'), token.value])
}

function tell(terminal: Terminal, lines: readonly string[]): ExitCode {
  terminal.out(lines.map(line => `${printable(line)}\n`).join(''))
  return exitCodes.ok
}

function refuse(terminal: Terminal, message: string): ExitCode {
  const lines = message.split('\n').map(line => `lnetctl: ${printable(line)}\n`)
  terminal.err(lines.join(''))
  return exitCodes.error
}
