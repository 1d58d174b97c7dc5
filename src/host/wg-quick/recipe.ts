import {
  type InterfaceAddress,
  type InterfaceName,
  type IpAddress,
  type Port,
  parseInterfaceAddress,
  parseInterfaceName,
  parseIpAddress,
  parsePort,
} from '../../model/address.ts'
import type { BridgeConfiguration } from '../../model/configuration.ts'
import type { UnicastEntry } from '../../model/kernel-state.ts'
import { ageingSecondsDefault } from '../../model/limits.ts'
import { parseVni, type Vni } from '../../model/segment.ts'

/** What the hooks of a hand-written VXLAN network make. */
export interface Recipe {
  readonly segments: readonly RecipeSegment[]
  /** What is understood, and done otherwise or not at all by lnet. */
  readonly notes: readonly string[]
  /** The same about segments. */
  readonly segmentNotes: readonly string[]
  readonly unknown: readonly string[]
}

export interface RecipeSegment {
  readonly interface: InterfaceName
  readonly vni: Vni
  readonly port: Port
  readonly ageingSeconds: number
  readonly addresses: readonly InterfaceAddress[]
  /** VTEPs that it floods to. */
  readonly flood: readonly IpAddress[]
  /** Null: what the tunnel has room for. */
  readonly mtu: number | null
  readonly bridge: BridgeConfiguration | null
  /** Where single MACs are. */
  readonly unicast: readonly UnicastEntry[]
}

/** Whether a command makes devices, addresses or forwarding entries: where they run, it need not be understood. */
export function makesDevices(command: string): boolean {
  const [tool = '', ...words] = command.trim().split(/\s+/)
  const name = tool.replace(/^.*\//, '')
  if (name === 'ip')
    return /^(?:l|li|link?|a|ad|addr?|address)$/.test(words.find(word => !word.startsWith('-')) ?? '')
  return deviceTools.has(name)
}

const deviceTools: ReadonlySet<string> = new Set(['bridge', 'brctl', 'wg', 'ifconfig'])

/** Reads commands of ip, bridge and iptables, as the article writes them. Never throws. */
export function readRecipe(commands: readonly string[]): Recipe {
  const draft: Draft = { segments: new Map(), notes: [], segmentNotes: [], unknown: [] }
  for (const command of commands) if (!readCommand(command, draft)) draft.unknown.push(command.slice(0, 200))
  return { ...draft, segments: [...draft.segments.values()] }
}

type SegmentDraft = Omit<RecipeSegment, 'addresses' | 'flood'> & {
  readonly addresses: InterfaceAddress[]
  readonly flood: IpAddress[]
}

interface Draft {
  readonly segments: Map<string, SegmentDraft>
  readonly notes: string[]
  readonly segmentNotes: string[]
  readonly unknown: string[]
}

/** The Linux kernel's own, which is not the one of IANA. */
const kernelPortDefault = 8472 as Port

function readCommand(command: string, draft: Draft): boolean {
  const [tool = '', ...words] = command.split(/\s+/).filter(word => !/^-[46]$/.test(word))
  switch (tool.replace(/^.*\//, '')) {
    case 'ip':
      return /^l(ink)?$/.test(words[0] ?? '') ? readLink(words.slice(1), draft) : readAddress(words, draft)
    case 'bridge':
      return readForwarding(words, draft)
    case 'iptables':
    case 'ip6tables':
      return readMasquerade(command, draft)
    // The guard of an exported file; lnetd has one of its own.
    case 'nft':
      return /^nft add (table|chain|rule) inet lnet_/.test(command)
    default:
      return false
  }
}

function readLink([verb = '', ...words]: readonly string[], draft: Draft): boolean {
  if (verb === 'add' && words.includes('vxlan')) return addSegment(words, draft)
  const name = words[0] === 'dev' ? words[1] : words[0]
  return verb === 'set' && draft.segments.has(name ?? '') && words.at(-1) === 'up'
}

function addSegment(words: readonly string[], { segments, segmentNotes }: Draft): boolean {
  const name = parseInterfaceName((/^(dev|name)$/.test(words[0] ?? '') ? words[1] : words[0]) ?? '')
  const options = words.slice(words.indexOf('vxlan') + 1)
  const vni = parseVni(Number(after(options, 'id')))
  const port = parsePort(Number(after(options, 'dstport') ?? kernelPortDefault))
  if (name === null || vni === null || port === null) return false
  const ageing = Number(after(options, 'ageing') ?? ageingSecondsDefault)
  const mtu = after(words, 'mtu')
  segments.set(name, {
    interface: name,
    vni,
    port,
    ageingSeconds: ageing,
    addresses: [],
    flood: [],
    mtu: mtu === undefined ? null : Number(mtu),
    bridge: null,
    unicast: [],
  })
  const ttl = after(options, 'ttl')
  if (ttl !== undefined && ttl !== '64') segmentNotes.push(ttlNote(name, ttl))
  const remote = parseIpAddress(after(options, 'remote') ?? '')
  if (remote !== null) segments.get(name)?.flood.push(remote)
  if (after(options, 'group') !== undefined) segmentNotes.push(groupNote(name))
  return true
}

export function ttlNote(name: InterfaceName, ttl: string | number): string {
  return `${name}: ttl 64 instead of ${ttl}, so that frames can be relayed`
}

export function groupNote(name: InterfaceName): string {
  return `${name}: no multicast group, because WireGuard carries none; members are flooded to one by one`
}

function readAddress(words: readonly string[], { segments }: Draft): boolean {
  if (!/^a(ddr(ess)?)?$/.test(words[0] ?? '') || words[1] !== 'add') return false
  const address = parseInterfaceAddress(words[2] ?? '')
  const segment = segments.get(after(words, 'dev') ?? '')
  if (address === null || segment === undefined) return false
  segment.addresses.push(address)
  return true
}

/** `bridge fdb append [to] 00:00:00:00:00:00 dst VTEP dev NAME` */
function readForwarding(words: readonly string[], { segments }: Draft): boolean {
  const [object, verb = '', mac] = words.filter(word => word !== 'to')
  const vtep = parseIpAddress(after(words, 'dst') ?? '')
  const segment = segments.get(after(words, 'dev') ?? '')
  if (object !== 'fdb' || !/^(append|add)$/.test(verb) || mac !== '00:00:00:00:00:00') return false
  if (vtep === null || segment === undefined) return false
  segment.flood.push(vtep)
  return true
}

function readMasquerade(command: string, { notes }: Draft): boolean {
  if (!/\s-j\s+MASQUERADE\b/.test(command)) return false
  notes.push(`masquerading stays yours, lnet does none: keep \`${command.slice(0, 200)}\` somewhere else`)
  return true
}

function after(words: readonly string[], key: string): string | undefined {
  const index = words.indexOf(key)
  return index < 0 ? undefined : words[index + 1]
}
