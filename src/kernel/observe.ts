import { compareText, type InterfaceName } from '../model/address.ts'
import { ok, type Result } from '../model/failure.ts'
import type { Detour, DetourRule } from '../model/gateway.ts'
import type {
  ForeignDevice,
  NeighbourEntry,
  Observation,
  Route,
  SegmentState,
  TunnelState,
} from '../model/kernel-state.ts'
import type { MeshId } from '../model/node.ts'
import { foreignAmong } from './foreign.ts'
import { markOf, routeProtocol } from './mark.ts'
import { observeForwarding, observeTables, type Tables } from './observe-tables.ts'
import { type BridgeLink, bridgeStates, readBridges } from './readers/bridges.ts'
import type { ForwardingTable } from './readers/fdb.ts'
import { documents, reading } from './readers/fields.ts'
import { linkNames, type OwnLink, ownLinks } from './readers/links.ts'
import { readNeighbours } from './readers/neighbours.ts'
import { readDetours, readRoutes } from './readers/routes.ts'
import { readRules } from './readers/rules.ts'
import { readWireguardDump, type WireguardDump } from './readers/wireguard.ts'
import { run } from './run.ts'
import { forwardingAmong, ipv6Among } from './sysctl.ts'

export interface ObserveOptions {
  readonly mesh: MeshId
  readonly tunnel: InterfaceName
  /** Names whose holders without our mark are reported. */
  readonly wanted: readonly InterfaceName[]
  /** Devices that have to forward, because this machine is a gateway. */
  readonly forwarders: readonly InterfaceName[]
}

/** Looks at everything under our mark: four processes at most. */
export async function observe(options: ObserveOptions): Promise<Result<Observation>> {
  const devices = await observeDevices(options)
  if (!devices.ok) return devices
  const { tunnel, segments } = devices.value
  const names = new Set(segments.map(segment => segment.interface))
  // One after the other, as the shell runs them anyway: the first that fails is the end.
  const wireguard = tunnel === null ? ok(null) : await observeWireguard(tunnel.interface)
  if (!wireguard.ok) return wireguard
  const forwarding = await observeForwarding(names)
  if (!forwarding.ok) return forwarding
  const forwards = await forwardingAmong(options.forwarders)
  const tables = await observeTables(forwards)
  if (!tables.ok) return tables
  const ipv6 = await ipv6Among([...names, ...(tunnel === null ? [] : [tunnel.interface])])
  const found: Found = {
    devices: devices.value,
    forwarding: forwarding.value,
    tables: tables.value,
    forwards,
    ipv6,
  }
  return ok(assemble(found, wireguard.value))
}

/** What was observed, with WireGuard as it is now: one process. */
export async function glance(before: Observation): Promise<Result<Observation>> {
  const { tunnel } = before.state
  if (tunnel === null) return ok(before)
  const dump = await observeWireguard(tunnel.interface)
  if (!dump.ok) return dump
  const { publicKey, listenPort, peers, readings } = dump.value
  const state = { ...before.state, tunnel: { ...tunnel, publicKey, listenPort, peers } }
  return ok({ ...before, state, readings })
}

interface Devices {
  readonly tunnel: OwnLink | null
  /** VXLAN devices that lnet can have made, sorted by name. */
  readonly segments: readonly OwnLink[]
  readonly foreign: readonly ForeignDevice[]
  /** Every device there is, whoever it belongs to. */
  readonly names: ReadonlySet<string>
  readonly bridges: readonly BridgeLink[]
  readonly routes: readonly Route[]
  readonly detours: readonly Detour[]
  readonly rules: readonly DetourRule[]
  readonly neighbours: ReadonlyMap<InterfaceName, readonly NeighbourEntry[]>
}

interface Found {
  readonly devices: Devices
  readonly forwarding: ReadonlyMap<InterfaceName, ForwardingTable>
  readonly tables: Tables
  /** Devices that forward, of those that have to. */
  readonly forwards: readonly InterfaceName[]
  readonly ipv6: ReadonlyMap<InterfaceName, boolean>
}

const listings = `address show
route show table all proto ${routeProtocol}
neighbour show nud permanent
rule show
`

async function observeDevices(options: ObserveOptions): Promise<Result<Devices>> {
  const listed = await run({ tool: 'ip', arguments: ['-json', '-details', '-batch', '-'], input: listings })
  if (!listed.ok) return listed
  return reading('ip', () => {
    const [links, routes, neighbours, rules] = documents(listed.value, 4)
    const own = sortLinks(ownLinks(links, markOf(options.mesh)), options.tunnel)
    const all = linkNames(links)
    const segments = new Set(own.segments.map(segment => segment.interface))
    const bridges = readBridges(links, markOf(options.mesh))
    const shared = new Set(bridges.map(bridge => bridge.interface))
    return {
      ...own,
      foreign: foreignAmong(all, [options.tunnel, ...options.wanted], ownNames(own)),
      names: new Set(all.map(({ name }) => name)),
      routes: readRoutes(routes),
      detours: readDetours(routes),
      rules: readRules(rules),
      bridges,
      neighbours: readNeighbours(neighbours, segments, shared),
    }
  })
}

/** The tunnel is the wanted one, else one that a former configuration left. */
function sortLinks(own: readonly OwnLink[], wanted: InterfaceName): Pick<Devices, 'tunnel' | 'segments'> {
  const tunnels = own.filter(({ kind }) => kind === 'wireguard' || kind === 'tun')
  const segments = own
    .filter(({ vxlan }) => vxlan !== null)
    .sort((a, b) => compareText(a.interface, b.interface))
  return { tunnel: tunnels.find(link => link.interface === wanted) ?? tunnels[0] ?? null, segments }
}

function ownNames({ tunnel, segments }: Pick<Devices, 'tunnel' | 'segments'>): ReadonlySet<string> {
  return new Set([...segments, ...(tunnel === null ? [] : [tunnel])].map(link => link.interface))
}

async function observeWireguard(tunnel: InterfaceName): Promise<Result<WireguardDump>> {
  const dump = await run({ tool: 'wg', arguments: ['show', tunnel, 'dump'] })
  return dump.ok ? readWireguardDump(dump.value) : dump
}

function assemble(found: Found, wireguard: WireguardDump | null): Observation {
  const { tunnel, segments, routes, detours, rules, foreign, names, bridges, neighbours } = found.devices
  const { guards, gateway } = found.tables
  const implementation = tunnel === null ? null : tunnel.kind === 'wireguard' ? 'kernel' : 'userspace'
  return {
    state: {
      tunnel: tunnel === null || wireguard === null ? null : tunnelState(tunnel, wireguard, found),
      segments: segments.map(segment => segmentState(segment, found)),
      bridges: bridgeStates(bridges, neighbours),
      routes,
      // The guard of a device that is there belongs to that, be it another mesh's.
      strayGuards: [...guards.keys()].filter(segment => !names.has(segment)).sort(compareText),
      gateway,
      detours,
      rules,
    },
    readings: wireguard?.readings ?? [],
    implementation,
    foreign,
    bridges,
    forwarding: found.forwards,
  }
}

function tunnelState(link: OwnLink, wireguard: WireguardDump, { ipv6 }: Found): TunnelState {
  const { interface: device, up, mtu, addresses } = link
  const { publicKey, listenPort, peers } = wireguard
  return {
    interface: device,
    up,
    mtu,
    ipv6: ipv6.get(device) === true,
    publicKey,
    listenPort,
    addresses,
    peers,
  }
}

function segmentState(link: OwnLink, found: Found): SegmentState {
  const { interface: device, up, mtu, bridge, suppression, addresses, vxlan } = link
  const forwarding = found.forwarding.get(device)
  return {
    interface: device,
    ...(vxlan as NonNullable<typeof vxlan>),
    up,
    mtu,
    ipv6: found.ipv6.get(device) === true,
    bridge,
    suppression,
    portMacs: forwarding?.portMacs ?? [],
    addresses,
    flood: forwarding?.flood ?? [],
    unicast: forwarding?.unicast ?? [],
    neighbours: found.devices.neighbours.get(device) ?? [],
    guard: found.tables.guards.get(device) ?? null,
  }
}
