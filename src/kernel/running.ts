import { addressOf, type InterfaceName, parseInterfaceName, parsePort } from '../model/address.ts'
import { failed, ok, type Result } from '../model/failure.ts'
import type { RunningBridge, RunningNetwork, RunningSegment } from '../model/running-network.ts'
import { parseVni } from '../model/segment.ts'
import { parseWireguardSecretKey } from '../model/wireguard-key.ts'
import { readBridges } from './readers/bridges.ts'
import { type ForwardingTable, readForwarding } from './readers/fdb.ts'
import { documents, type Fields, objects, optionalFields, optionalText, reading } from './readers/fields.ts'
import { addressesOf, kindOf } from './readers/links.ts'
import { readWireguardDump } from './readers/wireguard.ts'
import { run } from './run.ts'

/**
 * A hand-written network as it runs, whatever made it. Null where its interface is not there. Changes nothing. VXLAN is
 * part of it when it is bound to the interface, sends from its address, or is among the words `mentioned`.
 */
export async function readRunning(
  tunnel: InterfaceName,
  mentioned: ReadonlySet<string>,
): Promise<Result<RunningNetwork | null>> {
  const listed = await run({ tool: 'ip', arguments: ['-json', '-details', 'address', 'show'] })
  if (!listed.ok) return listed
  const found = reading('ip address', () => devicesOf(documents(listed.value, 1)[0], tunnel, mentioned))
  if (!found.ok) return found
  if (found.value === null) return ok(null)
  const { link, segments, foreign } = found.value
  const shown = await run({ tool: 'wg', arguments: ['show', tunnel, 'dump'] })
  if (!shown.ok) return shown
  const dump = readWireguardDump(shown.value)
  if (!dump.ok) return dump
  const bridged = await run({ tool: 'bridge', arguments: ['-json', 'fdb', 'show'] })
  if (!bridged.ok) return bridged
  const tables = readForwarding(bridged.value, new Set(segments.map(segment => segment.interface)))
  if (!tables.ok) return tables
  const { mtu } = link
  if (typeof mtu !== 'number')
    return failed(`ip does not show the MTU of ${tunnel}`, { remedy: 'is its version supported?' })
  return ok({
    publicKey: dump.value.publicKey,
    privateKey: parseWireguardSecretKey(shown.value.split('\t', 1)[0] ?? ''),
    listenPort: dump.value.listenPort,
    mtu,
    addresses: addressesOf(link),
    peers: dump.value.peers,
    segments: segments.map(segment => withForwarding(segment, tables.value.get(segment.interface))),
    foreign,
  })
}

type Bare = Omit<RunningSegment, 'flood' | 'unicast'>

function withForwarding(segment: Bare, table: ForwardingTable | undefined): RunningSegment {
  return { ...segment, flood: table?.flood ?? [], unicast: table?.unicast ?? [] }
}

interface Devices {
  readonly link: Fields
  readonly segments: readonly Bare[]
  readonly foreign: readonly string[]
}

function devicesOf(document: unknown, tunnel: InterfaceName, mentioned: ReadonlySet<string>): Devices | null {
  const links = objects(document, 'links')
  const link = links.find(fields => optionalText(fields, 'ifname') === tunnel)
  if (link === undefined) return null
  const own = new Set<string>(addressesOf(link).map(addressOf))
  const vxlans = links.filter(fields => {
    if (kindOf(fields) !== 'vxlan') return false
    const data = optionalFields(optionalFields(fields.linkinfo).info_data)
    const lower = optionalText(data, 'link')
    if (lower !== null) return lower === tunnel
    return own.has(localOf(data) ?? '') || mentioned.has(optionalText(fields, 'ifname') ?? '')
  })
  const read = vxlans.map(fields => segmentOf(fields, document, links))
  return {
    link,
    segments: read.filter(segment => typeof segment !== 'string'),
    foreign: read.filter(segment => typeof segment === 'string'),
  }
}

/** A text: why lnet cannot have it. */
function segmentOf(fields: Fields, document: unknown, links: readonly Fields[]): Bare | string {
  const written = optionalText(fields, 'ifname') ?? ''
  const data = optionalFields(optionalFields(fields.linkinfo).info_data)
  const name = parseInterfaceName(written)
  const [vni, port] = [parseVni(Number(data.id)), parsePort(Number(data.port))]
  if (name === null) return `VXLAN ${written}: lnet takes names of letters, digits, - and _`
  if (vni === null || port === null) return `VXLAN ${name}: it has no VNI of its own (external)`
  const master = optionalText(fields, 'master')
  return {
    interface: name,
    vni,
    port,
    mtu: Number(fields.mtu),
    ageingSeconds: Number(data.ageing),
    isBound: optionalText(data, 'link') !== null,
    ttl: typeof data.ttl === 'number' ? data.ttl : null,
    addresses: addressesOf(fields),
    bridge: master === null ? null : bridgeOf(master, document, links),
  }
}

function bridgeOf(name: string, document: unknown, links: readonly Fields[]): RunningBridge {
  // No bridge has this mark: all are somebody else's.
  const facts = readBridges(document, '').find(bridge => bridge.interface === name) ?? null
  const link = links.find(fields => optionalText(fields, 'ifname') === name)
  return { name, facts, addresses: link === undefined ? [] : addressesOf(link) }
}

function localOf(data: Fields): string | null {
  return optionalText(data, 'local') ?? optionalText(data, 'local6')
}
