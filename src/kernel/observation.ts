import { compareText, type InterfaceName } from '../model/address.ts'
import type { ForeignNetwork } from '../model/foreign-network.ts'
import type { Detour, DetourRule } from '../model/gateway.ts'
import type {
  ForeignDevice,
  NeighbourEntry,
  Observation,
  Route,
  SegmentState,
  TunnelState,
} from '../model/kernel-state.ts'
import type { LinkTrust, Trusting } from '../model/link-trust.ts'
import type { Tables } from './observe-tables.ts'
import { type BridgeLink, bridgeStates } from './readers/bridges.ts'
import type { ForwardingTable } from './readers/fdb.ts'
import type { OwnLink } from './readers/links.ts'
import type { WireguardDump } from './readers/wireguard.ts'

/** Devices, and what is on them. */
export interface Devices {
  readonly tunnel: OwnLink | null
  /** VXLAN devices that lnet can have made, sorted by name. */
  readonly segments: readonly OwnLink[]
  readonly foreign: readonly ForeignDevice[]
  readonly networks: readonly ForeignNetwork[]
  /** Every device there is, whoever it belongs to. */
  readonly names: ReadonlySet<string>
  readonly bridges: readonly BridgeLink[]
  readonly routes: readonly Route[]
  /** Devices with a route or an address that a router's advertisement made, whoever they belong to. */
  readonly advertised: ReadonlySet<string>
  readonly detours: readonly Detour[]
  readonly rules: readonly DetourRule[]
  readonly neighbours: ReadonlyMap<InterfaceName, readonly NeighbourEntry[]>
}

/** What the tools told, each in its own form. */
export interface Found {
  readonly devices: Devices
  readonly forwarding: ReadonlyMap<InterfaceName, ForwardingTable>
  readonly tables: Tables
  /** Devices that forward, of those that have to. */
  readonly forwards: readonly InterfaceName[]
  readonly limitsFloods: boolean
  readonly watchesLoops: boolean
  readonly unprivilegedPortStart: number
  readonly ipv6: ReadonlyMap<InterfaceName, boolean>
  readonly trusts: ReadonlyMap<InterfaceName, LinkTrust>
}

/** One look at the kernel, of all that the tools told. */
export function assemble(found: Found, wireguard: WireguardDump | null): Observation {
  const { tunnel, segments, routes, detours, rules, foreign, names, bridges, neighbours } = found.devices
  const { guards, limits, floods, watches, gateway } = found.tables
  const implementation = tunnel === null ? null : tunnel.kind === 'wireguard' ? 'kernel' : 'userspace'
  return {
    state: {
      tunnel: tunnel === null || wireguard === null ? null : tunnelState(tunnel, wireguard, found),
      segments: segments.map(segment => segmentState(segment, found)),
      bridges: bridgeStates(bridges, neighbours, device => trustOf(device, found)),
      routes,
      // The tables of a device that is there belong to that, be it another mesh's.
      strayGuards: [...guards.keys()].filter(segment => !names.has(segment)).sort(compareText),
      strayLimits: [...limits.keys()].filter(segment => !names.has(segment)).sort(compareText),
      loopWatches: watches.filter(
        watch => !names.has(watch.interface) || segments.some(own => own.interface === watch.interface),
      ),
      gateway,
      detours,
      rules,
    },
    readings: wireguard?.readings ?? [],
    floods,
    limitsFloods: found.limitsFloods,
    watchesLoops: found.watchesLoops,
    unprivilegedPortStart: found.unprivilegedPortStart,
    implementation,
    ...{ foreign, networks: found.devices.networks },
    bridges,
    forwarding: found.forwards,
  }
}

function tunnelState(link: OwnLink, wireguard: WireguardDump, found: Found): TunnelState {
  const { interface: device, up, mtu, addresses } = link
  const { publicKey, listenPort, peers } = wireguard
  return {
    interface: device,
    up,
    mtu,
    ipv6: found.ipv6.get(device) === true,
    ...trustOf(device, found),
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
    ...trustOf(device, found),
    bridge,
    suppression,
    portMacs: forwarding?.portMacs ?? [],
    addresses,
    flood: forwarding?.flood ?? [],
    unicast: forwarding?.unicast ?? [],
    neighbours: found.devices.neighbours.get(device) ?? [],
    guard: found.tables.guards.get(device) ?? null,
    floodLimit: found.tables.limits.get(device) ?? null,
  }
}

/** A device that trusted may have learned what is not told apart from the kernel's own. */
function trustOf(device: InterfaceName, { trusts, devices }: Found): Trusting {
  const trust = trusts.get(device) ?? 'open'
  return { trusts: trust, learned: trust === 'open' || (trust === 'none' && devices.advertised.has(device)) }
}
