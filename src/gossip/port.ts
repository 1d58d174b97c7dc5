import type { DigestEntry, SyncedEnvelope } from '../mesh/sync.ts'
import type { Endpoint } from '../model/address.ts'
import type { Envelope, OpenedEnvelope, Verdict } from '../model/announcement.ts'
import type { BootstrapPlace } from '../model/configuration.ts'
import type { DialReport, Neighbour, TwinAnswer } from '../model/neighbour.ts'
import type { NodeId } from '../model/node.ts'

/** The gossip network as the daemon sees it. */
export interface Gossip {
  readonly node: NodeId
  /** Signs a payload as ours, in lnet's own domain. */
  seal(payload: Uint8Array): Promise<Envelope>
  /** Null when the bytes are no envelope of our domain or the signature does not hold. Never throws. */
  open(envelope: Envelope): Promise<OpenedEnvelope | null>
  /** Hands an envelope to the topic. Never throws: alone, it goes to nobody, and sync brings it later. */
  publish(envelope: Envelope): Promise<void>
  /** Sorted by node. */
  neighbours(): readonly Neighbour[]
  /** The last outcome of each place that was dialled and is not connected, sorted by target. */
  dials(): readonly DialReport[]
  /** Bootstrap places that turned out to be this node itself, as configured. */
  ownPlaces(): readonly string[]
  /** Whether a node answers gossip now, neighbour or not. Takes seconds where it does not; never throws. */
  reaches(node: NodeId): Promise<boolean>
  /** Looks for another machine with this node's own key at these gossip addresses. Never throws. */
  lookForTwin(addresses: readonly string[]): Promise<TwinAnswer>
  /** Something of the underlay or of the membership changed: look at whom to dial now, with fresh backoffs. */
  redial(): void
  stop(): Promise<void>
}

/** What the daemon answers gossip. All synchronous: gossip owns the IO. */
export interface GossipHandlers {
  /** A fresh announcement from the topic, signature checked, and the neighbour it came from; the verdict decides whether it travels on. */
  announced(envelope: Envelope, opened: OpenedEnvelope, from?: NodeId): Verdict
  /** What was refused before it could be opened, and who sent it: what is refused, nobody passes on. */
  refused(reason: 'oversized' | 'malformed' | 'bad-signature', from?: NodeId): void
  /** A neighbour sent so many messages more than it may; they were not read. */
  exceeded?(from: NodeId, pieces: number): void
  readonly sync: SyncSource
  /** Members to dial, in order of preference, the first ones the wanted neighbours. */
  candidates(): readonly DialCandidate[]
  /** Another machine has this node's own key: it proved it, where it answers gossip. */
  twinMet(place: Endpoint): void
  /** A connection to another node came or went. */
  neighboursChanged(): void
  /** A sync exchange with a neighbour ended: from now on the membership is as new as the neighbour's. */
  synced(neighbour: NodeId): void
}

/** The set that sync compares: every announcement known here, our own among them. */
export interface SyncSource {
  /** 16 bytes; equal exactly when the sets of (node, sequence) are. */
  setHash(): Uint8Array
  digest(): readonly DigestEntry[]
  /** Unknown nodes are passed over. */
  envelopes(nodes: readonly NodeId[]): readonly SyncedEnvelope[]
  /** `from`: the neighbour that told. */
  admit(entries: readonly OpenedSyncedEnvelope[], from?: NodeId): void
}

export interface OpenedSyncedEnvelope extends SyncedEnvelope {
  readonly opened: OpenedEnvelope
}

export interface DialCandidate {
  readonly node: NodeId
  /** multiaddrs without the peer id. */
  readonly addresses: readonly string[]
  /** Wanted as a neighbour now; the others are only tried when too few are connected. */
  readonly wanted: boolean
}

export interface GossipOptions {
  /** The 32-byte seed of the node's Ed25519 key. */
  readonly identitySeed: Uint8Array
  /** 32 bytes: the libp2p private-network key. */
  readonly networkKey: Uint8Array
  readonly topic: string
  readonly port: number
  readonly bootstrap: readonly BootstrapPlace[]
  readonly mdns: boolean
  /** The addresses of a host name as of now, looked up for each author in turn. Rejects when there are none. */
  resolve(host: string, author: string): Promise<readonly string[]>
  /** True for addresses that must be neither dialled nor announced: the tunnel's and the segments'. */
  isInside(address: string): boolean
  /** Monotonic milliseconds. */
  now(): number
  /** Unix seconds; may jump. */
  wallSeconds(): number
  readonly random: () => number
}
