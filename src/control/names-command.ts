import { dirname, join } from 'node:path'
import type { Command } from 'commander'
import { sentenceOf } from '../model/explanation.ts'
import type { Result } from '../model/failure.ts'
import { type HostEntry, zone } from '../model/hosts.ts'
import type { CommandSetting } from './commands.ts'
import { schema } from './protocol.ts'
import { type ExitCode, exitCodes, type Terminal } from './show.ts'
import { layOut } from './table.ts'
import { painter, plural, printable } from './text.ts'

export interface NamesMachine {
  /** Null where lnetd keeps none. */
  readNames(path: string): Promise<Result<readonly HostEntry[] | null>>
  /** True when it changed something. */
  putNames(path: string, entries: readonly HostEntry[]): Promise<Result<boolean>>
}

interface GivenOptions {
  readonly socket: string
  readonly json?: boolean
  readonly apply?: boolean
  readonly file: string
}

/** Adds `names`. */
export function describeNames(
  program: Command,
  { terminal, exit }: CommandSetting,
  machine: NamesMachine,
): void {
  program
    .command('names')
    .description(`list the names of members, NAME.${zone}, or put them where this machine looks names up`)
    .option('--json', 'print JSON')
    .option(
      '--apply',
      'put them into the hosts file, in a block of their own; take the block away where names are off',
    )
    .option('--file <path>', 'the hosts file', '/etc/hosts')
    .action(async (_, command: Command) => {
      exit(await tellNames(command.optsWithGlobals<GivenOptions>(), terminal, machine))
    })
}

async function tellNames(
  { socket, json, apply, file }: GivenOptions,
  terminal: Terminal,
  machine: NamesMachine,
): Promise<ExitCode> {
  const read = await machine.readNames(join(dirname(socket), 'hosts'))
  if (!read.ok) return refuse(terminal, sentenceOf(read.failure))
  const names = read.value ?? []
  if (apply === true) {
    const put = await machine.putNames(file, names)
    if (!put.ok) return refuse(terminal, sentenceOf(put.failure))
    if (put.value) terminal.out(`${file} is changed: it has ${plural(names.length, 'line')} of members\n`)
    return exitCodes.ok
  }
  if (json === true) {
    terminal.out(`${JSON.stringify({ schema, names: names.map(hostName) }, null, 2)}\n`)
    return exitCodes.ok
  }
  if (names.length === 0)
    return refuse(
      terminal,
      'there are no names: set names: true in the configuration, then systemctl reload lnetd',
    )
  const rows = names.map(hostName).map(({ name, address }) => [{ text: name }, { text: address }])
  terminal.out(layOut(rows, painter(false)))
  return exitCodes.ok
}

function hostName({ name, address }: HostEntry) {
  return { name: `${name}.${zone}`, address }
}

function refuse(terminal: Terminal, message: string): ExitCode {
  terminal.err(`lnetctl: ${printable(message)}\n`)
  return exitCodes.error
}
