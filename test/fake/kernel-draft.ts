import {
  compareAddresses,
  compareText,
  type InterfaceAddress,
  type InterfaceName,
  type IpAddress,
  type MacAddress,
  type Prefix,
  sortedByAddress,
} from '../../src/model/address.ts'
import { compareRules, type Detour, type DetourRule, type GatewayState } from '../../src/model/gateway.ts'
import type { Guard } from '../../src/model/guard.ts'
import type {
  BridgeState,
  KernelState,
  Route,
  SegmentState,
  TunnelState,
  WireguardPeer,
} from '../../src/model/kernel-state.ts'
import type { LoopWatch } from '../../src/model/loop-watch.ts'
import type { WireguardPublicKey } from '../../src/model/wireguard-key.ts'

type Mutable<Type> = { -readonly [Key in keyof Type]: Type[Key] }

export interface TunnelDraft extends Omit<Mutable<TunnelState>, 'addresses' | 'peers'> {
  readonly addresses: Set<InterfaceAddress>
  readonly peers: Map<WireguardPublicKey, WireguardPeer>
  /** Cryptokey routing: an address belongs to one peer at a time. */
  readonly owners: Map<Prefix, WireguardPublicKey>
}

export interface SegmentDraft
  extends Omit<
    Mutable<SegmentState>,
    'addresses' | 'flood' | 'unicast' | 'neighbours' | 'portMacs' | 'guard' | 'floodLimit'
  > {
  readonly addresses: Set<InterfaceAddress>
  readonly flood: Set<IpAddress>
  readonly unicast: Map<MacAddress, IpAddress>
  readonly neighbours: Map<IpAddress, MacAddress>
  readonly portMacs: Set<MacAddress>
}

export interface BridgeDraft extends Omit<Mutable<BridgeState>, 'addresses' | 'neighbours'> {
  readonly addresses: Set<InterfaceAddress>
  readonly neighbours: Map<IpAddress, MacAddress>
}

/** A kernel state that is being changed: a step costs the same however large it is, sorting waits for a look. */
export interface KernelDraft {
  tunnel: TunnelDraft | null
  readonly segments: Map<InterfaceName, SegmentDraft>
  /** lnet's own, and what of lnet is on others. */
  readonly bridges: Map<InterfaceName, BridgeDraft>
  readonly routes: Map<string, Route>
  /** Tables of nft, which outlive their devices; null where only that there is one is known. */
  readonly guards: Map<InterfaceName, Guard | null>
  /** The same; frames per second, 0 for an altered one. */
  readonly limits: Map<InterfaceName, number>
  readonly watches: Map<InterfaceName, LoopWatch>
  gateway: GatewayState | null
  readonly detours: Map<Prefix, Detour>
  readonly rules: Map<string, DetourRule>
}

export function thaw(state: KernelState): KernelDraft {
  return {
    tunnel: state.tunnel === null ? null : thawTunnel(state.tunnel),
    segments: new Map(state.segments.map(segment => [segment.interface, thawSegment(segment)])),
    bridges: new Map(state.bridges.map(bridge => [bridge.interface, thawBridge(bridge)])),
    routes: new Map(state.routes.map(route => [routeKey(route), route])),
    guards: new Map<InterfaceName, Guard | null>([
      ...state.segments.flatMap(({ interface: device, guard }) =>
        guard === null ? [] : [[device, guard] as const],
      ),
      ...state.strayGuards.map(device => [device, null] as const),
    ]),
    limits: new Map([
      ...state.segments.flatMap(({ interface: device, floodLimit }) =>
        floodLimit === null ? [] : [[device, floodLimit] as const],
      ),
      ...state.strayLimits.map(device => [device, 0] as const),
    ]),
    watches: new Map(state.loopWatches.map(watch => [watch.interface, watch])),
    gateway: state.gateway,
    detours: new Map(state.detours.map(detour => [detour.prefix, detour])),
    rules: new Map(state.rules.map(rule => [JSON.stringify(rule), rule])),
  }
}

/** The canonical state, as a look at the kernel finds it. */
export function freeze(draft: KernelDraft): KernelState {
  const segments = [...draft.segments.values()].map(segment => freezeSegment(segment, draft))
  return {
    tunnel: draft.tunnel === null ? null : freezeTunnel(draft.tunnel),
    segments: segments.sort((a, b) => compareText(a.interface, b.interface)),
    bridges: freezeBridges([...draft.bridges.values()]),
    routes: [...draft.routes.values()].sort(
      (a, b) => compareAddresses(a.prefix, b.prefix) || compareText(a.device ?? '', b.device ?? ''),
    ),
    strayGuards: [...draft.guards.keys()].filter(device => !draft.segments.has(device)).sort(compareText),
    strayLimits: [...draft.limits.keys()].filter(device => !draft.segments.has(device)).sort(compareText),
    loopWatches: [...draft.watches.values()].sort((a, b) => compareText(a.interface, b.interface)),
    gateway: draft.gateway,
    detours: [...draft.detours.values()].sort((a, b) => compareAddresses(a.prefix, b.prefix)),
    rules: [...draft.rules.values()].sort(compareRules),
  }
}

export function routeKey(route: Route): string {
  return `${route.prefix} ${route.device}`
}

function thawTunnel(tunnel: TunnelState): TunnelDraft {
  return {
    ...tunnel,
    addresses: new Set(tunnel.addresses),
    peers: new Map(tunnel.peers.map(peer => [peer.publicKey, peer])),
    owners: new Map(
      tunnel.peers.flatMap(({ publicKey, allowedIps }) => allowedIps.map(prefix => [prefix, publicKey])),
    ),
  }
}

function thawSegment({ guard: _, floodLimit: __, ...segment }: SegmentState): SegmentDraft {
  return {
    ...segment,
    addresses: new Set(segment.addresses),
    flood: new Set(segment.flood),
    unicast: new Map(segment.unicast.map(({ mac, vtep }) => [mac, vtep])),
    neighbours: new Map(segment.neighbours.map(({ address, mac }) => [address, mac])),
    portMacs: new Set(segment.portMacs),
  }
}

function freezeTunnel({ owners: _, ...tunnel }: TunnelDraft): TunnelState {
  return {
    ...tunnel,
    addresses: [...tunnel.addresses].sort(compareAddresses),
    peers: [...tunnel.peers.values()].sort((a, b) => compareText(a.publicKey, b.publicKey)),
  }
}

function freezeSegment(segment: SegmentDraft, { guards, limits }: KernelDraft): SegmentState {
  return {
    ...segment,
    addresses: [...segment.addresses].sort(compareAddresses),
    flood: sortedByAddress([...segment.flood], vtep => vtep),
    unicast: Array.from(segment.unicast, ([mac, vtep]) => ({ mac, vtep })).sort((a, b) =>
      compareText(a.mac, b.mac),
    ),
    neighbours: sortedNeighbours(segment.neighbours),
    portMacs: [...segment.portMacs].sort(compareText),
    guard: guards.get(segment.interface) ?? null,
    floodLimit: limits.get(segment.interface) ?? null,
  }
}

function thawBridge(bridge: BridgeState): BridgeDraft {
  return {
    ...bridge,
    addresses: new Set(bridge.addresses),
    neighbours: new Map(bridge.neighbours.map(({ address, mac }) => [address, mac])),
  }
}

/** Others' bridges are not told unless something of lnet is on them. */
function freezeBridges(bridges: readonly BridgeDraft[]): readonly BridgeState[] {
  return bridges
    .filter(({ mac, addresses, neighbours }) => mac !== null || addresses.size + neighbours.size > 0)
    .map(bridge => ({
      ...bridge,
      addresses: [...bridge.addresses].sort(compareAddresses),
      neighbours: sortedNeighbours(bridge.neighbours),
    }))
    .sort((a, b) => compareText(a.interface, b.interface))
}

function sortedNeighbours(neighbours: ReadonlyMap<IpAddress, MacAddress>) {
  return sortedByAddress(
    Array.from(neighbours, ([address, mac]) => ({ address, mac })),
    ({ address }) => address,
  )
}
