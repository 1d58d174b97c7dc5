import {
  type HostPort,
  hostPrefix,
  type InterfaceAddress,
  type InterfaceName,
  type Port,
  parseHostPort,
  parseInterfaceAddress,
  parseIpAddress,
  parsePort,
} from '../../model/address.ts'
import { failed, ok, type Result } from '../../model/failure.ts'
import { wgQuickLineCharactersMax, wgQuickPeersMax } from '../../model/limits.ts'
import type { NodeName } from '../../model/node.ts'
import {
  parseWireguardPublicKey,
  parseWireguardSecretKey,
  type WireguardPublicKey,
  type WireguardSecretKey,
} from '../../model/wireguard-key.ts'
import { headerOf, peerNames } from './comments.ts'

/** A wg-quick(8) file, as far as it can be understood. */
export interface WgQuickFile {
  /** Null where it is not in the file: a hook may set it. */
  readonly privateKey: WireguardSecretKey | null
  readonly listenPort: Port | null
  readonly addresses: readonly InterfaceAddress[]
  readonly mtu: number | null
  readonly peers: readonly WgQuickPeer[]
  /** What its hooks run before and after it comes up, one command each, `%i` replaced. */
  readonly commands: readonly string[]
  /** Lines that mean nothing to lnet, without secrets. */
  readonly unknown: readonly string[]
}

export interface WgQuickPeer {
  /** From a comment, see comments.ts. */
  readonly name: NodeName | null
  readonly publicKey: WireguardPublicKey
  readonly endpoint: HostPort | null
  /** An Endpoint that is no place lnet can announce. */
  readonly unusableEndpoint: string | null
  readonly allowedIps: readonly InterfaceAddress[]
  readonly hasPresharedKey: boolean
}

/** Reads a file of the interface `device`. Whatever it says, it never throws; a secret is in no message. */
export function parseWgQuick(text: string, device: InterfaceName): Result<WgQuickFile> {
  const draft: Draft = {
    privateKey: null,
    listenPort: null,
    addresses: [],
    mtu: null,
    peers: [],
    commands: [],
    unknown: [],
  }
  let section: Section = 'none'
  const lines = readableLines(text, draft)
  const names = peerNames(lines)
  for (const line of lines) {
    const header = headerOf(line)
    if (header === 'interface') section = 'interface'
    else if (header === 'peer') section = openPeer(draft, names[draft.peers.length] ?? null)
    else readLine(line, section, draft, device)
  }
  const { peers } = draft
  if (peers.length > wgQuickPeersMax) return failed(`the file has more than ${wgQuickPeersMax} peers`)
  const whole = peers.flatMap(peer =>
    peer.publicKey === null ? [] : [{ ...peer, publicKey: peer.publicKey }],
  )
  const keyless = peers.length - whole.length
  if (keyless > 0) draft.unknown.push(`${keyless} [Peer] without a valid PublicKey`)
  return ok({ ...draft, peers: whole })
}

type Section = 'none' | 'interface' | 'peer'
type Mutable<Type> = { -readonly [Key in keyof Type]: Type[Key] }
type PeerDraft = Omit<Mutable<WgQuickPeer>, 'publicKey' | 'allowedIps'> & {
  publicKey: WireguardPublicKey | null
  readonly allowedIps: InterfaceAddress[]
}

interface Draft {
  privateKey: WireguardSecretKey | null
  listenPort: Port | null
  mtu: number | null
  readonly addresses: InterfaceAddress[]
  readonly peers: PeerDraft[]
  readonly commands: string[]
  readonly unknown: string[]
}

/** Without those that are too long to be read, which are told of. */
function readableLines(text: string, { unknown }: Draft): readonly string[] {
  return text
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .filter(line => {
      if (line.length <= wgQuickLineCharactersMax) return true
      unknown.push(shorten(line.replace(/=.*/s, '= ...')))
      return false
    })
}

function openPeer({ peers }: Draft, name: NodeName | null): Section {
  peers.push({
    name,
    publicKey: null,
    endpoint: null,
    unusableEndpoint: null,
    allowedIps: [],
    hasPresharedKey: false,
  })
  return 'peer'
}

function readLine(line: string, section: Section, draft: Draft, device: InterfaceName): void {
  const peer = section === 'peer' ? draft.peers.at(-1) : undefined
  const [, key = '', value = ''] = /^\s*(\w+)\s*=\s*(.*?)\s*$/.exec(line.replace(/#.*$/, '')) ?? []
  if (key === '') {
    if (line.replace(/#.*$/, '').trim() !== '') draft.unknown.push(shorten(line.trim()))
    return
  }
  const isKnown = peer === undefined ? readInterface(key, value, draft, device) : readPeer(key, value, peer)
  if (!isKnown) draft.unknown.push(/key/i.test(key) ? `${key} = ...` : shorten(`${key} = ${value}`))
}

/** Outside of quotes. */
const commandEnd = /\s*(?:;|&&)\s*(?=(?:[^'"]*['"][^'"]*['"])*[^'"]*$)/

/** What lets a command fail says nothing of what it does. */
const orElse = /\s*\|\|\s*(?:\/bin\/)?(?:true|:)\s*$/

/** What lnet does in its own way: routes by itself, hooks not at all, addresses and keys for good. */
const impliedKeys: ReadonlySet<string> = new Set(['table', 'saveconfig'])
/** Commands that undo what others did. */
const undoingHooks: ReadonlySet<string> = new Set(['predown', 'postdown'])

function readInterface(key: string, value: string, draft: Draft, device: InterfaceName): boolean {
  const name = key.toLowerCase()
  if (impliedKeys.has(name) || undoingHooks.has(name)) return true
  if (name === 'preup' || name === 'postup') {
    draft.commands.push(
      ...value
        .replaceAll('%i', device)
        .split(commandEnd)
        .map(command => command.replace(orElse, ''))
        .filter(command => command !== ''),
    )
    return true
  }
  if (name === 'address') return addAddresses(value, draft.addresses)
  if (name === 'privatekey') draft.privateKey = parseWireguardSecretKey(value)
  else if (name === 'listenport') draft.listenPort = parsePort(Number(value))
  else if (name === 'mtu') draft.mtu = /^\d{1,5}$/.test(value) ? Number(value) : null
  else return false
  return { privatekey: draft.privateKey, listenport: draft.listenPort, mtu: draft.mtu }[name] !== null
}

function readPeer(key: string, value: string, peer: PeerDraft): boolean {
  switch (key.toLowerCase()) {
    case 'publickey':
      peer.publicKey = parseWireguardPublicKey(value)
      return peer.publicKey !== null
    case 'presharedkey':
      peer.hasPresharedKey = true
      return true
    case 'allowedips':
      return addAddresses(value, peer.allowedIps)
    case 'endpoint':
      peer.endpoint = parseHostPort(value)
      peer.unusableEndpoint = peer.endpoint === null ? shorten(value) : null
      return true
    // lnet keeps every path alive by itself.
    case 'persistentkeepalive':
      return true
    default:
      return false
  }
}

function addAddresses(value: string, addresses: InterfaceAddress[]): boolean {
  const parts = value.split(/\s*,\s*/).filter(part => part !== '')
  const parsed = parts.map(part => parseInterfaceAddress(part) ?? wholeHost(part))
  for (const address of parsed) if (address !== null) addresses.push(address)
  return !parsed.includes(null)
}

/** wg-quick reads an address without a length as that of one host. */
function wholeHost(text: string): InterfaceAddress | null {
  const address = parseIpAddress(text)
  return address === null ? null : (hostPrefix(address) as string as InterfaceAddress)
}

function shorten(text: string): string {
  return text.length > 120 ? `${text.slice(0, 120)}...` : text
}
