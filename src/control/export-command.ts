import type { Command } from 'commander'
import { sentenceOf } from '../model/explanation.ts'
import type { Result } from '../model/failure.ts'
import { ask } from './client.ts'
import type { CommandSetting } from './commands.ts'
import { configDefaultText, configPathFor } from './config-path.ts'
import { strangeValue } from './export-words.ts'
import type { PeersView } from './protocol.ts'
import { findPeers } from './questions.ts'
import { type ExitCode, exitCodes } from './show.ts'
import { printable } from './text.ts'
import { type OwnKeys, type WgQuickFor, wgQuickFile, withoutHooks } from './wg-quick.ts'

export interface ExportMachine {
  /** Of the node that this configuration makes. */
  ownKeys(configPath: string): Promise<Result<OwnKeys>>
  /** A QR code of half blocks, for a terminal. */
  qrCode(text: string): Promise<string>
}

interface GivenOptions {
  readonly socket: string
  readonly config?: string
  readonly for?: string
  readonly qr?: boolean
}

/** Adds `export wg-quick`, which asks lnetd for the mesh and this machine's files for its keys. */
export function describeExport(program: Command, setting: CommandSetting, machine: ExportMachine): void {
  program
    .command('export')
    .description('print the mesh as other programs write it')
    .command('wg-quick')
    .description('print a wg-quick file: of this node, with its private key, or of a static member')
    .option('--for <name>', 'a static member, whose private key is left for its machine to fill in')
    .option('--qr', 'a QR code for a phone: WireGuard alone, without segments')
    .option('--config <path>', `the configuration that says where the keys are (${configDefaultText})`)
    .action(async (_: object, command: Command) => {
      setting.exit(await exportWgQuick(command.optsWithGlobals<GivenOptions>(), setting, machine))
    })
}

async function exportWgQuick(
  given: GivenOptions,
  { terminal }: CommandSetting,
  machine: ExportMachine,
): Promise<ExitCode> {
  const [peers, status] = [await ask(given.socket, 'peers'), await ask(given.socket, 'status')]
  const fail = (message: string, code: ExitCode = exitCodes.error) => {
    terminal.err(`lnetctl: ${printable(message)}\n`)
    return code
  }
  for (const reply of [peers, status])
    if (!reply.ok)
      return fail(reply.message, reply.kind === 'unreachable' ? exitCodes.unreachable : exitCodes.error)
  if (!peers.ok || !status.ok) return exitCodes.error
  const strange = strangeValue(peers.view, status.view)
  if (strange !== null)
    return fail(`lnetd said what it cannot mean at ${strange}, and nothing was printed: see lnetctl version`)
  const whose =
    given.for === undefined
      ? await own(peers.view, await configPathFor(given.config, given.socket), machine)
      : named(peers.view, given.for)
  if ('refusal' in whose) return fail(whose.refusal)
  const file = wgQuickFile(peers.view, status.view, whose)
  terminal.out(given.qr === true ? `${await machine.qrCode(withoutHooks(file))}\n` : file)
  return exitCodes.ok
}

type Chosen = WgQuickFor | { readonly refusal: string }

async function own({ self }: PeersView, config: string, machine: ExportMachine): Promise<Chosen> {
  if (self === null) return { refusal: 'this node has no address yet: see lnetctl status' }
  const keys = await machine.ownKeys(config)
  return keys.ok ? { row: self, keys: keys.value } : { refusal: sentenceOf(keys.failure) }
}

function named(view: PeersView, wanted: string): Chosen {
  const found = findPeers(view, wanted).filter(({ static_by: by }) => by !== undefined)
  const [row] = found
  if (row === undefined)
    return {
      refusal: `no static member is called ${wanted}: a node prints its own file, with \`lnetctl export\` there`,
    }
  return found.length === 1
    ? { row, keys: null }
    : { refusal: `${wanted} is more than one member: give its id` }
}
