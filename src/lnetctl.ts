import { createReadStream } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { type CommandSetting, describeActions, describeReadings } from './control/commands.ts'
import { type ExitCode, exitCodes, type Terminal } from './control/show.ts'
import { printable } from './control/text.ts'
import type { SetupDone } from './host/setup.ts'
import { failed, ok, type Result } from './model/failure.ts'
import { tokenCharactersMax } from './model/limits.ts'
import { software } from './model/software.ts'

const terminal: Terminal = {
  out: text => void process.stdout.write(text),
  err: text => void process.stderr.write(text),
  isTerminal: process.stdout.isTTY === true,
  isPlain: (process.env.NO_COLOR ?? '') !== '',
}

const defaultConfigPath = '/etc/lnetd/lnetd.yaml'

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
    .option('--socket <path>', 'where lnetd listens', '/run/lnetd/lnetd.sock')
    .addHelpText('after', exitCodeHelp)
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError('(lnetctl --help shows what there is)')
    .configureOutput({ writeOut: terminal.out, writeErr: terminal.err })
    .exitOverride()
  describeSetup(program, setting)
  describeReadings(program, setting)
  describeActions(program, setting)
  program.helpCommand('help [command]', 'show the help of a command')
  return program
}

interface SetupOptions {
  readonly config: string
  readonly secretFile?: string
  readonly name?: string
  readonly tokenFile?: string
  readonly bootstrap?: readonly string[]
}

/** The commands that work without a daemon. What they need is loaded when one of them runs: `peers` starts faster. */
function describeSetup(program: Command, setting: CommandSetting): void {
  const load = () => import('./host/setup.ts')
  const tell = (result: Result<string>) => setting.exit(tellResult(result))
  settingUp(
    program,
    'init',
    'make the configuration and the secret of a new mesh; overwrites nothing',
  ).action(async ({ config, secretFile, name }: SetupOptions) =>
    tell(told(await (await load()).initialise({ configPath: config, secretPath: secretFile, name }))),
  )
  program
    .command('token')
    .description('print the token other machines join with; it holds the mesh secret')
    .option('--config <path>', 'the configuration to read', defaultConfigPath)
    .option('--bootstrap <place...>', 'where this node can be reached: host, host:port or a multiaddr')
    .action(async ({ config, bootstrap }: SetupOptions) => {
      const token = await (await load()).makeToken({ configPath: config, bootstrap })
      tell(token.ok ? ok(`${token.value}\n`) : token)
    })
  settingUp(program, 'join', 'make the configuration and the secret of a node that joins; overwrites nothing')
    .argument('[token]', 'what `lnetctl token` printed elsewhere; - reads it from standard input')
    .option('--token-file <path>', 'read the token from a file, so that no process list shows it')
    .action(
      async (given: string | undefined, { config, secretFile, name, tokenFile }: SetupOptions, command) => {
        if ((given === undefined) === (tokenFile === undefined))
          (command as Command).error('error: give the token, or --token-file, or - for standard input')
        const token = await readToken(given, tokenFile)
        if (!token.ok) return tell(token)
        const joined = await (await load()).join({
          token: token.value,
          configPath: config,
          secretPath: secretFile,
          name,
        })
        tell(told(joined))
      },
    )
}

function settingUp(program: Command, command: string, description: string): Command {
  return program
    .command(command)
    .description(description)
    .option('--name <name>', 'what this node is called (default: the hostname)')
    .option('--config <path>', 'the configuration to write', defaultConfigPath)
    .option('--secret-file <path>', 'the secret to write (default: mesh.secret beside the configuration)')
}

function told(done: Result<SetupDone>): Result<string> {
  if (!done.ok) return done
  const { written, next } = done.value
  return ok([...written.map(path => `wrote ${path}`), ...next].map(line => `${printable(line)}\n`).join(''))
}

function tellResult(result: Result<string>): ExitCode {
  if (result.ok) terminal.out(result.value)
  else
    terminal.err(
      result.failure.message
        .split('\n')
        .map(line => `lnetctl: ${printable(line)}\n`)
        .join(''),
    )
  return result.ok ? exitCodes.ok : exitCodes.error
}

async function readToken(given: string | undefined, file: string | undefined): Promise<Result<string>> {
  if (given !== undefined && given !== '-') return ok(given)
  const stream = file === undefined || file === '-' ? process.stdin : createReadStream(file)
  try {
    let text = ''
    for await (const chunk of stream) {
      text += String(chunk)
      if (text.length > tokenCharactersMax) return failed(`what was read is longer than a token`)
    }
    return ok(text.trim())
  } catch (error) {
    return failed(`the token could not be read: ${(error as Error).message}`)
  }
}
