import type { Command } from 'commander'
import { defaultStateDir } from '../model/configuration.ts'
import { type Explanation, sentenceOf } from '../model/explanation.ts'
import type { Result } from '../model/failure.ts'
import type { CommandSetting } from './commands.ts'
import { defaultConfigPath } from './config-path.ts'
import { readToken, type SetupMachine, settingUp } from './setup-commands.ts'
import { exitCodes } from './show.ts'
import { printable } from './text.ts'

export interface ImportMachine extends Pick<SetupMachine, 'readToken'> {
  importWgQuick(options: ImportRequest): Promise<Result<Imported>>
}

export interface ImportRequest {
  readonly file: string
  readonly configPath: string
  readonly secretPath?: string | undefined
  readonly name?: string | undefined
  readonly force?: boolean | undefined
  readonly stateDir: string
  readonly token: string | null
  readonly dryRun: boolean
}

interface Imported {
  readonly notes: readonly string[]
  readonly lost: readonly string[]
  readonly written: readonly string[]
  readonly backups: readonly string[]
  readonly next: readonly string[]
  readonly text: string | null
  readonly refusal: Explanation | null
}

interface GivenOptions {
  readonly config: string
  readonly secretFile?: string
  readonly name?: string
  readonly force?: boolean
  readonly stateDir: string
  readonly tokenFile?: string
  readonly dryRun?: boolean
}

/** Adds `import wg-quick FILE`, which works without a daemon. */
export function describeImport(program: Command, setting: CommandSetting, machine: ImportMachine): void {
  const group = program.command('import').description('make the configuration of what was written by hand')
  settingUp(
    group,
    'wg-quick',
    'make the configuration of a wg-quick file: its key, addresses and segments, its peers as static members; where its interface is up, of what runs, and only if lnetd keeps all of it, or with --force',
  )
    .argument('<file>', 'such as /etc/wireguard/wg0.conf; it is only read, like its interface')
    .option('--token-file <path>', 'join the mesh of this token (- for standard input), instead of a new one')
    .option('--state-dir <path>', 'where lnetd keeps its keys', defaultStateDir)
    .option('--dry-run', 'write nothing, print the configuration and what it would not keep')
    .action(async (file: string, _: object, command: Command) => {
      const given = command.optsWithGlobals<GivenOptions>()
      const token =
        given.tokenFile === undefined ? null : await readToken(undefined, given.tokenFile, machine)
      if (token !== null && !token.ok) return fail(setting, sentenceOf(token.failure))
      const done = await machine.importWgQuick({
        file,
        configPath: given.config ?? defaultConfigPath,
        secretPath: given.secretFile,
        name: given.name,
        force: given.force,
        stateDir: given.stateDir,
        token: token === null ? null : token.value,
        dryRun: given.dryRun === true,
      })
      if (!done.ok) return fail(setting, sentenceOf(done.failure))
      tell(setting, done.value)
    })
}

function tell(setting: CommandSetting, done: Imported): void {
  const { notes, lost, written, backups, next, text, refusal } = done
  const { terminal, exit } = setting
  const lines = [
    ...notes.map(note => `note: ${note}`),
    ...lost.map(what => `not kept: ${what}`),
    ...backups.map(path => `kept ${path}`),
    ...written.map(path => `wrote ${path}`),
    ...next,
  ].map(line => `${printable(line)}\n`)
  if (refusal !== null) {
    terminal.err(lines.join(''))
    fail(setting, sentenceOf(refusal))
    return
  }
  if (text === null) terminal.out(lines.join(''))
  else {
    terminal.err(lines.join(''))
    terminal.out(text)
  }
  exit(exitCodes.ok)
}

function fail({ terminal, exit }: CommandSetting, message: string): void {
  terminal.err(`lnetctl: ${printable(message)}\n`)
  exit(exitCodes.error)
}
