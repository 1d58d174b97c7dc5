import {
  compareAddresses,
  compareText,
  hostPrefix,
  type InterfaceName,
  type IpAddress,
  interfaceAddress,
  isHostOf,
  type Prefix,
  prefixOf,
} from '../model/address.ts'
import type { OwnClaims } from '../model/claims.ts'
import type { Configuration } from '../model/configuration.ts'
import type { ForeignNetwork } from '../model/foreign-network.ts'
import type { GatewayState } from '../model/gateway.ts'
import {
  type BridgeFacts,
  type BridgeState,
  emptyKernelState,
  type KernelState,
  type Route,
  type SegmentState,
  type TunnelState,
  type WireguardPeer,
} from '../model/kernel-state.ts'
import { distrusting } from '../model/link-trust.ts'
import type { LoopWatch } from '../model/loop-watch.ts'
import type { Member } from '../model/member.ts'
import type { MeshId, NodeId } from '../model/node.ts'
import { agreedTunnelMtu, type Vni } from '../model/segment.ts'
import type { KeyFingerprint, WireguardPublicKey } from '../model/wireguard-key.ts'
import { loopRisks } from './bridge.ts'
import { type Holds, ownerOf, tunnelPrefix } from './claims.ts'
import { desireBridge, desireSegment } from './desire-segment.ts'
import { desireGateway } from './gateway.ts'
import type { TunnelTrack } from './liveness.ts'
import type { LostClaim } from './settle.ts'
import { exemptVteps } from './source-ports.ts'
import type { Ways } from './ways.ts'

/** What this node wants of itself. */
export interface Intent {
  readonly configuration: Configuration
  readonly mesh: MeshId
  readonly node: NodeId
  readonly publicKey: WireguardPublicKey
  presharedKey(publicKey: WireguardPublicKey): KeyFingerprint
  readonly claims: OwnClaims
  readonly lost: readonly LostClaim[]
  /** The tunnel MTU our own path allows, bytes. */
  readonly mtu: number
  /** The bridges of this machine. */
  readonly bridges: readonly BridgeFacts[]
  /** Of the devices that a gateway needs, those that forward now. */
  readonly forwarding: readonly InterfaceName[]
  /** This kernel can limit what floods. */
  readonly limitsFloods: boolean
  /** This kernel can watch for loops. */
  readonly watchesLoops: boolean
  /** Segments that stay out of their bridges, because they are or may be part of a loop. */
  readonly keptOut: ReadonlySet<Vni>
  /** The mesh's networks that this machine uses otherwise. */
  readonly refused: ReadonlySet<Prefix>
  /** What others have on this machine. */
  readonly networks: readonly ForeignNetwork[]
  /** There is a tunnel already. */
  readonly hasTunnel: boolean
  /** The gateway this machine is now. */
  readonly observed: GatewayState | null
}

/** Whom it should be connected to. */
export interface World {
  /** Sorted by node; only those that belong in the kernel. */
  readonly members: readonly Member[]
  /** Those of them that shook hands: nobody else has an effect but for a peer. */
  readonly proven: readonly Member[]
  /** Keys that are tried or only listened to. */
  readonly onTrial: ReadonlyMap<WireguardPublicKey, 'active' | 'passive'>
  /** All holds, our own among them. */
  readonly holds: Holds
  readonly tracks: ReadonlyMap<WireguardPublicKey, TunnelTrack>
  readonly ways: Ways
  /** VTEPs of peers that are kept, and of which nothing is known. */
  readonly unknown: readonly IpAddress[]
  /** Monotonic milliseconds. */
  readonly now: number
}

/** The kernel as it should be; null while it is not known which VTEP address the tunnel will bear. */
export function desire(intent: Intent, world: World): KernelState | null {
  const { vtep } = intent.claims
  if (vtep === null) return null
  if (intent.lost.some(({ vni }) => vni === null)) return emptyKernelState
  const prefix = tunnelPrefix(intent.configuration.tunnel, intent.mesh)
  // One that is there keeps its sessions for when this machine is elsewhere again.
  if (intent.refused.has(prefix) && !intent.hasTunnel) return emptyKernelState
  const reachable = world.members.filter(member => isReachable(member, prefix, world.holds))
  const proven = world.proven.filter(member => isReachable(member, prefix, world.holds))
  const mtus = [intent.mtu, ...world.proven.map(({ announcement }) => announcement.mtu)]
  const mtu = agreedTunnelMtu(mtus, vtep.address)
  const tunnel = desireTunnel(intent, world, reachable, vtep.address, prefix, mtu)
  const unknown = world.unknown.filter(each => isHostOf(prefix, each))
  const lower = { vtep: vtep.address, vteps: prefix, mtu, exempt: exemptVteps(reachable, unknown, world.now) }
  const segments = intent.configuration.segments.map(segment =>
    desireSegment(segment, intent, world, proven, lower),
  )
  segments.sort((a, b) => compareText(a.interface, b.interface))
  const bridges = intent.configuration.segments
    .flatMap(segment => desireBridge(segment, intent, world, proven) ?? [])
    .sort((a, b) => compareText(a.interface, b.interface))
  const routes = desireRoutes(tunnel, [...segments, ...bridges], prefix)
  const { detours, rules } = world.ways
  const gateway = desireGateway(intent)
  return {
    ...{ tunnel, segments, bridges, routes, strayGuards: [], strayLimits: [] },
    loopWatches: intent.watchesLoops ? desireLoopWatches(intent) : [],
    ...{ gateway, detours, rules },
  }
}

function desireLoopWatches({ configuration, bridges }: Intent): readonly LoopWatch[] {
  // Also where the machine's way out is now: it may move.
  return loopRisks(configuration.segments, bridges, [])
    .map(({ segment, ports }) => ({ interface: segment.interface, ports }))
    .sort((a, b) => compareText(a.interface, b.interface))
}

/** A member's VTEP counts where it is a host of our prefix and its own. */
export function isReachable(member: Member, prefix: Prefix, holds: Holds): boolean {
  const { node, vtep } = member.announcement
  return isHostOf(prefix, vtep) && ownerOf(vtep, holds.vteps.get(vtep)) === node
}

function desireTunnel(
  intent: Intent,
  world: World,
  reachable: readonly Member[],
  vtep: IpAddress,
  prefix: Prefix,
  mtu: number,
): TunnelState {
  const { tunnel } = intent.configuration
  return {
    interface: tunnel.interface,
    up: true,
    mtu,
    ipv6: true,
    ...distrusting,
    publicKey: intent.publicKey,
    listenPort: tunnel.port,
    addresses: intent.refused.has(prefix) ? [] : [interfaceAddress(vtep, prefix)],
    peers: desirePeers(intent, world, reachable),
  }
}

/** One peer a key: two members that claim one key share it, and only its true holder can use it. */
function desirePeers(intent: Intent, world: World, reachable: readonly Member[]): readonly WireguardPeer[] {
  const vteps = new Map<WireguardPublicKey, Prefix[]>()
  for (const { announcement } of world.members)
    if (announcement.publicKey !== intent.publicKey) vteps.set(announcement.publicKey, [])
  const keyless = new Set(
    world.members.flatMap(({ announcement: { declaredBy, publicKey } }) =>
      declaredBy === null ? [] : [publicKey],
    ),
  )
  for (const { announcement } of reachable)
    vteps.get(announcement.publicKey)?.push(hostPrefix(announcement.vtep))
  return [...vteps]
    .map(([publicKey, allowedIps]) => ({
      publicKey,
      // A machine without lnetd does not know the mesh secret.
      presharedKey: keyless.has(publicKey) ? null : intent.presharedKey(publicKey),
      endpoint:
        world.onTrial.get(publicKey) === 'passive' ? null : (world.tracks.get(publicKey)?.endpoint ?? null),
      allowedIps: allowedIps.sort(compareAddresses),
      // A keepalive would go on for ever, and to wherever somebody says.
      keepaliveSeconds: world.onTrial.has(publicKey) ? 0 : intent.configuration.tunnel.keepaliveSeconds,
    }))
    .sort((a, b) => compareText(a.publicKey, b.publicKey))
}

/** Ours explicitly, so that a deleted one is seen; under the tunnel's an unreachable one, so that nothing leaks. */
function desireRoutes(
  tunnel: TunnelState,
  bearers: readonly (SegmentState | BridgeState)[],
  vteps: Prefix,
): readonly Route[] {
  const ofSegments = bearers.flatMap(({ interface: device, addresses }) =>
    addresses.map(address => ({ prefix: prefixOf(address), device })),
  )
  const ofTunnel = tunnel.addresses.length === 0 ? [] : [tunnel.interface, null]
  const all: Route[] = [...ofTunnel.map(device => ({ prefix: vteps, device })), ...ofSegments]
  const distinct = new Map(all.map(route => [`${route.prefix} ${route.device}`, route]))
  return [...distinct.values()].sort(
    (a, b) => compareAddresses(a.prefix, b.prefix) || compareText(a.device ?? '', b.device ?? ''),
  )
}
