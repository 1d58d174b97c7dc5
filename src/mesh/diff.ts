import type { KernelState, Route, SegmentState, TunnelState, WireguardPeer } from '../model/kernel-state.ts'
import { freshlyMade } from '../model/link-trust.ts'
import type { Step } from '../model/step.ts'
import type { WireguardPublicKey } from '../model/wireguard-key.ts'
import { diffBridges } from './diff-bridge.ts'
import { compare, diffLink, diffSegment } from './diff-device.ts'
import { anySourcePort } from './diff-guard.ts'
import { diffWays } from './gateway.ts'

/** What is done to peers although nothing of them differs. */
export interface PeerUpkeep {
  /** Made anew. */
  readonly renewals: ReadonlySet<WireguardPublicKey>
  /** Their endpoints set again: WireGuard goes on sending from an address this machine no longer has. */
  readonly rewriteEndpoints: boolean
}

const noUpkeep: PeerUpkeep = { renewals: new Set(), rewriteEndpoints: false }

/** The steps from what is to what should be, in no order yet. Equal states give none. */
export function diff(
  desired: KernelState,
  observed: KernelState,
  upkeep: PeerUpkeep = noUpkeep,
): readonly Step[] {
  const kept = withoutOrphans(observed, desired)
  const devices = [
    ...diffTunnel(desired.tunnel, observed.tunnel, upkeep),
    ...diffSegments(desired.segments, kept),
    ...diffBridges(desired.bridges, observed.bridges),
    ...orphanedTables(desired.segments, observed, kept),
    ...diffWatches(desired, observed),
    ...diffWays(desired, observed),
  ]
  return [...devices, ...diffRoutes(desired.routes, routesLeft(observed, kept, devices))]
}

function diffTunnel(
  desired: TunnelState | null,
  observed: TunnelState | null,
  upkeep: PeerUpkeep,
): readonly Step[] {
  if (desired === null)
    return observed === null ? [] : [{ kind: 'tunnel.remove', interface: observed.interface }]
  if (observed !== null && observed.interface !== desired.interface)
    return [{ kind: 'tunnel.remove', interface: observed.interface }, ...diffTunnel(desired, null, upkeep)]
  const device = desired.interface
  const create: readonly Step[] =
    observed === null ? [{ kind: 'tunnel.create', interface: device, mtu: desired.mtu }] : []
  const current = observed ?? { ...blankTunnel, interface: device, mtu: desired.mtu }
  return [
    ...create,
    ...configure(desired, current),
    ...diffLink(desired, current),
    ...diffPeers(desired, current, upkeep),
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
  { renewals, rewriteEndpoints }: PeerUpkeep,
): readonly Step[] {
  const device = desired.interface
  const current = new Map(observed.peers.map(peer => [peer.publicKey, peer]))
  const wanted = new Set(desired.peers.map(({ publicKey }) => publicKey))
  const set = desired.peers.flatMap((peer): Step[] => {
    const known = current.get(peer.publicKey)
    if (known !== undefined && renewals.has(peer.publicKey))
      return [{ kind: 'peer.renew', interface: device, peer }]
    const isDone =
      known !== undefined && samePeer(peer, known) && !(rewriteEndpoints && peer.endpoint !== null)
    return isDone ? [] : [{ kind: 'peer.set', interface: device, peer }]
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
  return observed.segments.filter(segment => !isOrphan(segment, desired, observed))
}

function isOrphan({ lower }: SegmentState, desired: KernelState, observed: KernelState): boolean {
  const falling = observed.tunnel?.interface
  return falling !== undefined && falling !== desired.tunnel?.interface && lower === falling
}

/** Guards and limits outlive the device that fell with its tunnel, or that somebody deleted. */
function orphanedTables(
  desired: readonly SegmentState[],
  { segments, strayGuards, strayLimits }: KernelState,
  kept: readonly SegmentState[],
): readonly Step[] {
  const limited = desired.filter(({ floodLimit }) => floodLimit !== null)
  const needed = {
    'guard.remove': new Set([...kept, ...desired].map(segment => segment.interface)),
    'limit.remove': new Set([...kept, ...limited].map(segment => segment.interface)),
  }
  const tables = [
    ...segments.flatMap(tableRemovals),
    ...strayGuards.map(device => ({ kind: 'guard.remove', interface: device }) as const),
    ...strayLimits.map(device => ({ kind: 'limit.remove', interface: device }) as const),
  ]
  return tables.filter(step => !needed[step.kind].has(step.interface))
}

function diffSegments(desired: readonly SegmentState[], observed: readonly SegmentState[]): readonly Step[] {
  const current = new Map(observed.map(segment => [segment.interface, segment]))
  const wanted = new Set(desired.map(segment => segment.interface))
  const removed = observed
    .filter(segment => !wanted.has(segment.interface))
    .flatMap((segment): Step[] => [
      { kind: 'segment.remove', interface: segment.interface },
      ...tableRemovals(segment),
    ])
  const anyPort = anySourcePort(desired, current)
  const changed = desired.flatMap(segment => diffSegment(segment, current.get(segment.interface), anyPort))
  return [...changed, ...removed]
}

function tableRemovals({ interface: device, guard, floodLimit }: SegmentState) {
  return [
    ...(guard === null ? [] : [{ kind: 'guard.remove', interface: device } as const]),
    ...(floodLimit === null ? [] : [{ kind: 'limit.remove', interface: device } as const]),
  ]
}

function diffWatches(desired: KernelState, observed: KernelState): readonly Step[] {
  const { added, removed } = compare(
    desired.loopWatches,
    observed.loopWatches,
    watch => `${watch.interface} ${watch.ports.join(' ')}`,
  )
  const kept = new Set(desired.loopWatches.map(watch => watch.interface))
  return [
    ...added.map((watch): Step => ({ kind: 'watch.set', watch })),
    ...removed
      .filter(watch => !kept.has(watch.interface))
      .map((watch): Step => ({ kind: 'watch.remove', watch })),
  ]
}

/** A device takes its routes along, also when another of the same name follows. */
function routesLeft(
  observed: KernelState,
  kept: readonly SegmentState[],
  devices: readonly Step[],
): readonly Route[] {
  const gone = new Set([
    ...observed.segments.filter(segment => !kept.includes(segment)).map(segment => segment.interface),
    ...devices.flatMap(step =>
      step.kind === 'tunnel.remove' || step.kind === 'segment.remove' || step.kind === 'bridge.remove'
        ? [step.interface]
        : [],
    ),
  ])
  return observed.routes.filter(({ device }) => device === null || !gone.has(device))
}

function diffRoutes(desired: readonly Route[], observed: readonly Route[]): readonly Step[] {
  const { added, removed } = compare(
    desired,
    observed,
    ({ prefix, device, metric }) => `${prefix} ${device} ${metric}`,
  )
  return [
    ...added.map((route): Step => ({ kind: 'route.add', route })),
    ...removed.map((route): Step => ({ kind: 'route.remove', route })),
  ]
}

const blankTunnel: Omit<TunnelState, 'interface' | 'mtu'> = {
  up: false,
  ipv6: false,
  ...freshlyMade,
  publicKey: null,
  listenPort: null,
  addresses: [],
  peers: [],
}
