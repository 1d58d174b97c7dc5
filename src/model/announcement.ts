import type { HostPort, IpAddress } from './address.ts'
import type { GatewayOffer } from './gateway.ts'
import type { NodeId, NodeName, Sequence } from './node.ts'
import type { Claim, SegmentFacts } from './segment.ts'
import type { WireguardPublicKey } from './wireguard-key.ts'

/** Where a tunnel endpoint is known from, in order of trust: written by the operator, then found on an interface. */
export const endpointKinds = ['configured', 'public', 'lan'] as const
export type EndpointKind = (typeof endpointKinds)[number]

export interface EndpointCandidate {
  readonly place: HostPort
  readonly kind: EndpointKind
}

/** What a node says of itself, or of a machine that cannot run lnetd. Everything in it is bounded by `limits.ts`, and sorted where order means nothing. */
export interface Announcement {
  readonly node: NodeId
  /** Who speaks for a static member, a machine without lnetd; null for a node, which speaks for itself. */
  readonly declaredBy: NodeId | null
  readonly sequence: Sequence
  readonly name: NodeName
  readonly publicKey: WireguardPublicKey
  /** In the author's order: what it wrote down itself first. */
  readonly endpoints: readonly EndpointCandidate[]
  readonly vtep: IpAddress
  readonly vtepClaim: Claim
  /** libp2p multiaddrs without the peer id. */
  readonly gossip: readonly string[]
  /** Sorted by VNI. */
  readonly segments: readonly SegmentFacts[]
  /** Null: it is no gateway. */
  readonly gateway: GatewayOffer | null
  /** All its segment devices send from ports that only root may bind. False where that is not known. */
  readonly privileged: boolean
  /** The tunnel MTU this node's own path allows, bytes. */
  readonly mtu: number
  /** The next announcement is due within so many seconds. */
  readonly heartbeatSeconds: number
  readonly software: string
  /** Farewell: this node left on purpose. */
  readonly left: boolean
}

/** The announcement as its author signed it: the bytes that travel by gossip and by sync alike. */
export type Envelope = Uint8Array

/** An envelope whose signature holds: who signed, and what. */
export interface OpenedEnvelope {
  readonly author: NodeId
  readonly payload: Uint8Array
}

/** Why an announcement was not taken. Bounded, so that each can be counted. */
export const rejectReasons = [
  'oversized',
  'malformed',
  'bad-signature',
  'foreign-author',
  'over-limits',
  'foreign-address',
] as const
export const ignoreReasons = [
  'unknown-version',
  'old-sequence',
  'known',
  'expired',
  'full',
  'own',
  'too-often',
] as const
export type RejectReason = (typeof rejectReasons)[number]
export type IgnoreReason = (typeof ignoreReasons)[number]

/** What to do with what was heard: only `reject` blames whoever passed it on. */
export type Verdict =
  | { readonly kind: 'accept' }
  | { readonly kind: 'ignore'; readonly reason: IgnoreReason }
  | { readonly kind: 'reject'; readonly reason: RejectReason }
