import type { Endpoint, HostPort, InterfaceAddress, IpAddress, MacAddress } from '../model/address.ts'
import type { EndpointKind } from '../model/announcement.ts'
import type { TunnelImplementation } from '../model/kernel-state.ts'
import type { Standing } from '../model/member.ts'
import type { MeshId, NodeId, NodeName } from '../model/node.ts'
import type { Vni } from '../model/segment.ts'
import type { StepKind } from '../model/step.ts'
import type { WireguardPublicKey } from '../model/wireguard-key.ts'
import type { EventsView } from './events-protocol.ts'
import type { FailureView } from './failure-view.ts'
import type { FilesSummary } from './files-view.ts'
import type { ProblemSummary } from './problem-view.ts'

/** The version of everything below. It grows when a key changes its meaning, not when one is added. */
export const schema = 1

/** What can be asked, and where. Reading is GET, acting is POST; no request has a body. */
export const readingPaths = {
  peers: '/v1/peers',
  status: '/v1/status',
  plan: '/v1/plan',
  events: '/v1/events',
  version: '/v1/version',
} as const
export const actionPaths = { down: '/v1/down', leave: '/v1/leave' } as const

export type Reading = keyof typeof readingPaths
export type Action = keyof typeof actionPaths

export interface Views {
  readonly peers: PeersView
  readonly status: StatusView
  readonly plan: PlanView
  readonly events: EventsView
  readonly version: VersionView
}

/** Scripts rely on these keys: none is renamed or removed. */
export interface PeersView {
  readonly schema: typeof schema
  readonly mesh: MeshId
  /** Null until this node has said something of itself. */
  readonly self: PeerRow | null
  /** Sorted by name, then node. */
  readonly peers: readonly PeerRow[]
}

export type PeerState = 'up' | 'unknown' | 'down' | 'left'

export interface PeerRow {
  readonly name: NodeName
  readonly node: NodeId
  readonly public_key: WireguardPublicKey
  readonly vtep: IpAddress
  /** Where WireGuard sends now; for this node itself, what it announces first. */
  readonly endpoint: Endpoint | HostPort | null
  /** `roamed`: WireGuard found the endpoint by itself. */
  readonly endpoint_kind: EndpointKind | 'roamed' | null
  readonly state: PeerState
  readonly gossip: Standing
  readonly seen_seconds: number
  /** Null when there never was one. */
  readonly handshake_seconds: number | null
  readonly rx_bytes: number
  readonly tx_bytes: number
  readonly mtu: number
  readonly version: string
  /** Why it is not up, in one sentence that leads to the fix. */
  readonly reason: string | null
  readonly segments: readonly PeerSegment[]
  /** Who declared it: only where it is a static member. */
  readonly static_by?: NodeName | NodeId
}

export interface PeerSegment {
  readonly vni: Vni
  /** Ours in this segment; null when this node is not in it. */
  readonly interface: string | null
  readonly mac: MacAddress | null
  readonly addresses: readonly InterfaceAddress[]
  /** The kernel holds the flood entry to its VTEP in this segment now. */
  readonly flood: boolean
}

export interface StatusView {
  readonly schema: typeof schema
  readonly mesh: MeshId
  readonly version: string
  readonly uptime_seconds: number
  readonly ready: boolean
  /** What is waited for while not ready. */
  readonly waiting: readonly string[]
  /** Not ready, or a problem that degrades. `status --check` fails by it. */
  readonly degraded: boolean
  readonly self: PeerRow | null
  /** What others are told to send to, in the order they are tried. */
  readonly endpoints: readonly { readonly place: HostPort; readonly kind: EndpointKind }[]
  readonly tunnel: TunnelSummary | null
  readonly segments: readonly SegmentSummary[]
  readonly members: MemberCounts
  /** Members that are neither up nor left, a bounded number of them. */
  readonly unreachable: readonly Pick<PeerRow, 'name' | 'node' | 'state' | 'gossip' | 'reason'>[]
  /** Members that are up and whose lnetd does not answer, a bounded number of them; absent in lnetd 0.1.0. */
  readonly silent?: StatusView['unreachable']
  readonly neighbours: readonly NeighbourSummary[]
  readonly dials: readonly DialSummary[]
  /** Announcements that were not taken since the start, by reason. */
  readonly refused: Readonly<Record<string, number>>
  readonly problems: readonly ProblemSummary[]
  /** Where this lnetd has what it works with; absent in lnetd 0.1.0. */
  readonly files?: FilesSummary
}

export interface TunnelSummary {
  readonly interface: string
  readonly implementation: TunnelImplementation | null
  readonly up: boolean
  readonly mtu: number
  readonly port: number | null
  readonly public_key: WireguardPublicKey | null
  readonly addresses: readonly InterfaceAddress[]
}

export interface SegmentSummary {
  readonly interface: string
  readonly vni: Vni
  readonly port: number
  readonly up: boolean
  readonly mtu: number
  readonly mac: MacAddress
  readonly bridge: string | null
  readonly addresses: readonly InterfaceAddress[]
  /** How many members a broadcast frame is copied to. */
  readonly flood: number
  /** Frames to everybody a second; null: not limited. */
  readonly flood_limit: number | null
  /** Frames the limit dropped since it was set. */
  readonly flood_dropped: number
}

/** `known` = up + unknown + down + left; `silent` are those of them that gossip does not hear. */
export interface MemberCounts {
  readonly known: number
  readonly up: number
  readonly unknown: number
  readonly down: number
  readonly left: number
  readonly silent: number
}

export interface NeighbourSummary {
  readonly node: NodeId
  readonly name: NodeName | null
  readonly address: string
  readonly direction: 'inbound' | 'outbound'
}

/** A place that was dialled in vain, or a host that dialled this node in vain. */
export interface DialSummary {
  /** A bootstrap place as configured, or a node id; `from ADDRESS` where that one dialled this node. */
  readonly target: string
  readonly direction: 'inbound' | 'outbound'
  /** The member it is, where one is known by that id. */
  readonly name: NodeName | null
  readonly failures: number
  readonly tried_seconds: number
  readonly error: string
  /** The last time TCP stood, and the handshake did not. */
  readonly answers: boolean
  readonly secret_may_differ: boolean
}

/** What the daemon would change now, in the order it would. Sentences alone: no step is carried with its keys. */
export interface PlanView {
  readonly schema: typeof schema
  readonly steps: readonly { readonly kind: StepKind; readonly sentence: string }[]
}

export interface VersionView {
  readonly schema: typeof schema
  readonly version: string
}

export interface ActionView {
  readonly schema: typeof schema
  readonly action: Action
  readonly mesh: MeshId
  readonly removed: readonly string[]
  /** What could not be done. */
  readonly failures: readonly FailureView[]
}

/** The body of every answer that is not 200. */
export interface ErrorView {
  readonly schema: typeof schema
  readonly error: FailureView
}
