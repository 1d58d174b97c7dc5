import type {
  Guard,
  KernelState,
  Route,
  SegmentState,
  TunnelState,
  WireguardPeer,
} from '../model/kernel-state.ts'
import type { SegmentIdentity, Step } from '../model/step.ts'
import type { WireguardPublicKey } from '../model/wireguard-key.ts'

/** The steps from what is to what should be, in no order yet. Equal states give none. */
export function diff(
  desired: KernelState,
  observed: KernelState,
  renewals: ReadonlySet<WireguardPublicKey> = new Set(),
): readonly Step[] {
  return [
    ...diffTunnel(desired.tunnel, observed.tunnel, renewals),
    ...diffSegments(desired.segments, withoutOrphans(observed, desired)),
    ...diffRoutes(desired.routes, observed.routes),
  ]
}

function diffTunnel(
  desired: TunnelState | null,
  observed: TunnelState | null,
  renewals: ReadonlySet<WireguardPublicKey>,
): readonly Step[] {
  if (desired === null)
    return observed === null ? [] : [{ kind: 'tunnel.remove', interface: observed.interface }]
  if (observed !== null && observed.interface !== desired.interface)
    return [{ kind: 'tunnel.remove', interface: observed.interface }, ...diffTunnel(desired, null, renewals)]
  const device = desired.interface
  const create: readonly Step[] =
    observed === null ? [{ kind: 'tunnel.create', interface: device, mtu: desired.mtu }] : []
  const current = observed ?? { ...blankTunnel, interface: device, mtu: desired.mtu }
  return [
    ...create,
    ...configure(desired, current),
    ...diffLink(desired, current),
    ...diffPeers(desired, current, renewals),
  ]
}

function configure(desired: TunnelState, observed: TunnelState): readonly Step[] {
  const { publicKey, listenPort, interface: device } = desired
  if (publicKey === null || listenPort === null) return []
  if (publicKey === observed.publicKey && listenPort === observed.listenPort) return []
  return [{ kind: 'tunnel.configure', interface: device, publicKey, listenPort }]
}

function diffPeers(
  desired: TunnelState,
  observed: TunnelState,
  renewals: ReadonlySet<WireguardPublicKey>,
): readonly Step[] {
  const device = desired.interface
  const current = new Map(observed.peers.map(peer => [peer.publicKey, peer]))
  const wanted = new Set(desired.peers.map(({ publicKey }) => publicKey))
  const set = desired.peers.flatMap((peer): Step[] => {
    const known = current.get(peer.publicKey)
    if (known !== undefined && renewals.has(peer.publicKey))
      return [{ kind: 'peer.renew', interface: device, peer }]
    return known !== undefined && samePeer(peer, known) ? [] : [{ kind: 'peer.set', interface: device, peer }]
  })
  const removed = observed.peers
    .filter(({ publicKey }) => !wanted.has(publicKey))
    .map(({ publicKey }): Step => ({ kind: 'peer.remove', interface: device, publicKey }))
  return [...set, ...removed]
}

/** Where we have no endpoint to give, WireGuard keeps the one it has. */
function samePeer(desired: WireguardPeer, observed: WireguardPeer): boolean {
  return (
    desired.presharedKey === observed.presharedKey &&
    (desired.endpoint === null || desired.endpoint === observed.endpoint) &&
    desired.keepaliveSeconds === observed.keepaliveSeconds &&
    desired.allowedIps.join() === observed.allowedIps.join()
  )
}

/** Segments fall with the tunnel they are on. */
function withoutOrphans(observed: KernelState, desired: KernelState): readonly SegmentState[] {
  const falls = observed.tunnel !== null && observed.tunnel.interface !== desired.tunnel?.interface
  return falls
    ? observed.segments.filter(({ lower }) => lower !== observed.tunnel?.interface)
    : observed.segments
}

function diffSegments(desired: readonly SegmentState[], observed: readonly SegmentState[]): readonly Step[] {
  const current = new Map(observed.map(segment => [segment.interface, segment]))
  const wanted = new Set(desired.map(segment => segment.interface))
  const removed = observed
    .filter(segment => !wanted.has(segment.interface))
    .flatMap((segment): Step[] => [
      { kind: 'segment.remove', interface: segment.interface },
      ...(segment.guard === null ? [] : [{ kind: 'guard.remove', interface: segment.interface } as const]),
    ])
  return [...desired.flatMap(segment => diffSegment(segment, current.get(segment.interface))), ...removed]
}

function diffSegment(desired: SegmentState, observed: SegmentState | undefined): readonly Step[] {
  const device = desired.interface
  const steps: Step[] = []
  const keep = observed !== undefined && canBecome(observed, desired)
  if (observed !== undefined && !keep) steps.push({ kind: 'segment.remove', interface: device })
  if (!keep) steps.push({ kind: 'segment.create', segment: identityOf(desired) })
  const current = keep ? observed : blankSegment(desired, observed)
  if (desired.guard !== null && !sameGuard(desired.guard, current.guard))
    steps.push({ kind: 'guard.set', interface: device, guard: desired.guard })
  if (desired.local !== current.local)
    steps.push({ kind: 'segment.local', interface: device, local: desired.local })
  if (desired.mac !== current.mac) steps.push({ kind: 'link.mac', interface: device, mac: desired.mac })
  if (desired.bridge !== current.bridge)
    steps.push({ kind: 'segment.bridge', interface: device, bridge: desired.bridge })
  return [...steps, ...diffLink(desired, current), ...diffEntries(desired, current)]
}

/** Port, VNI, lower device and family are fixed when a VXLAN device is made (FACTS-kernel 1). */
function canBecome(observed: SegmentState, desired: SegmentState): boolean {
  return (
    observed.vni === desired.vni &&
    observed.port === desired.port &&
    observed.lower === desired.lower &&
    observed.local.includes(':') === desired.local.includes(':')
  )
}

function identityOf(segment: SegmentState): SegmentIdentity {
  const { interface: device, vni, port, local, lower, mac, mtu } = segment
  return { interface: device, vni, port, local, lower, mac, mtu }
}

function diffLink(
  desired: TunnelState | SegmentState,
  observed: TunnelState | SegmentState,
): readonly Step[] {
  const device = desired.interface
  const steps: Step[] = []
  if (desired.mtu !== observed.mtu) steps.push({ kind: 'link.mtu', interface: device, mtu: desired.mtu })
  if (desired.ipv6 && !observed.ipv6) steps.push({ kind: 'link.ipv6', interface: device })
  if (desired.up && !observed.up) steps.push({ kind: 'link.up', interface: device })
  const { added, removed } = compare(desired.addresses, observed.addresses, itself)
  return [
    ...steps,
    ...added.map((address): Step => ({ kind: 'address.add', interface: device, address })),
    ...removed.map((address): Step => ({ kind: 'address.remove', interface: device, address })),
  ]
}

function diffEntries(desired: SegmentState, observed: SegmentState): readonly Step[] {
  const { interface: device, lower } = desired
  const flood = compare(desired.flood, observed.flood, itself)
  const unicast = compare(desired.unicast, observed.unicast, ({ mac, vtep }) => `${mac} ${vtep}`)
  const neighbours = compare(
    desired.neighbours,
    observed.neighbours,
    ({ address, mac }) => `${address} ${mac}`,
  )
  const keptMacs = new Set(desired.unicast.map(({ mac }) => mac))
  const keptAddresses = new Set(desired.neighbours.map(({ address }) => address))
  return [
    ...neighbours.added.map((entry): Step => ({ kind: 'neighbour.set', interface: device, entry })),
    ...unicast.added.map((entry): Step => ({ kind: 'unicast.set', interface: device, lower, entry })),
    ...flood.added.map((vtep): Step => ({ kind: 'flood.add', interface: device, lower, vtep })),
    ...flood.removed.map((vtep): Step => ({ kind: 'flood.remove', interface: device, lower, vtep })),
    ...unicast.removed
      .filter(({ mac }) => !keptMacs.has(mac))
      .map((entry): Step => ({ kind: 'unicast.remove', interface: device, entry })),
    ...neighbours.removed
      .filter(({ address }) => !keptAddresses.has(address))
      .map((entry): Step => ({ kind: 'neighbour.remove', interface: device, entry })),
  ]
}

function diffRoutes(desired: readonly Route[], observed: readonly Route[]): readonly Step[] {
  const { added, removed } = compare(desired, observed, ({ prefix, device }) => `${prefix} ${device}`)
  return [
    ...added.map((route): Step => ({ kind: 'route.add', route })),
    ...removed.map((route): Step => ({ kind: 'route.remove', route })),
  ]
}

function compare<Item>(desired: readonly Item[], observed: readonly Item[], keyOf: (item: Item) => string) {
  const wanted = new Set(desired.map(keyOf))
  const current = new Set(observed.map(keyOf))
  return {
    added: desired.filter(item => !current.has(keyOf(item))),
    removed: observed.filter(item => !wanted.has(keyOf(item))),
  }
}

function itself(text: string): string {
  return text
}

function sameGuard(a: Guard, b: Guard | null): boolean {
  return b !== null && a.port === b.port && a.tunnel === b.tunnel && a.vteps === b.vteps
}

const blankTunnel: Omit<TunnelState, 'interface' | 'mtu'> = {
  up: false,
  ipv6: false,
  publicKey: null,
  listenPort: null,
  addresses: [],
  peers: [],
}

/** A device just made: bare, but for the guard that outlived its predecessor. */
function blankSegment(desired: SegmentState, observed: SegmentState | undefined): SegmentState {
  return {
    ...desired,
    up: false,
    ipv6: false,
    bridge: null,
    addresses: [],
    flood: [],
    unicast: [],
    neighbours: [],
    guard: observed?.guard ?? null,
  }
}
