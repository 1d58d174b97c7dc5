import type { Judgement } from '../mesh/judgement.ts'
import type { KeyTenures } from '../mesh/key-claims.ts'
import type { TunnelTrack } from '../mesh/liveness.ts'
import type { Proofs } from '../mesh/proof.ts'
import type { Prefix } from '../model/address.ts'
import type { Announcement, IgnoreReason, RejectReason } from '../model/announcement.ts'
import type { Failure, Result } from '../model/failure.ts'
import type { FloodReading, KernelState, TunnelImplementation } from '../model/kernel-state.ts'
import type { Membership } from '../model/member.ts'
import type { DialReport, Neighbour } from '../model/neighbour.ts'
import type { MeshId, NodeId, NodeName } from '../model/node.ts'
import type { PastEvent } from '../model/past-event.ts'
import type { UnderlayPaths } from '../model/path.ts'
import type { Problem } from '../model/problem.ts'
import type { Plan } from '../model/step.ts'
import type { WireguardPublicKey } from '../model/wireguard-key.ts'
import type { FilesSummary } from './files-view.ts'

/** All a view is made of, at one moment. */
export interface Snapshot {
  readonly mesh: MeshId
  readonly software: string
  /** Monotonic milliseconds; every time in here is on the same clock unless it says Unix seconds. */
  readonly now: number
  readonly startedAt: number
  readonly wallSeconds: number
  /** What we say of ourselves; null until the first announcement was made. */
  readonly self: Announcement | null
  readonly implementation: TunnelImplementation | null
  /** The network the VTEPs are in: configured, else the mesh's own. */
  readonly vteps: Prefix
  /** This node's key, whoever may declare it. */
  readonly publicKey: WireguardPublicKey
  readonly membership: Membership
  readonly tracks: ReadonlyMap<WireguardPublicKey, TunnelTrack>
  /** Whose keys shook hands with us, and when last. */
  readonly proofs: Proofs
  /** What this node makes of claims. */
  readonly judgement: Judgement
  /** Whose word on declared machines' keys stands. */
  readonly keys: KeyTenures
  /** Null until the kernel was first looked at. */
  readonly state: KernelState | null
  /** What flood limits dropped. */
  readonly floods: readonly FloodReading[]
  readonly neighbours: readonly Neighbour[]
  readonly dials: readonly DialReport[]
  readonly problems: readonly Problem[]
  /** The kernel's answers about the addresses of members that are not up, as far as it was asked. */
  readonly paths: UnderlayPaths
  /** Announcements that were not taken, since the start. */
  readonly refused: ReadonlyMap<RejectReason | IgnoreReason, number>
  /** Members that did not answer gossip when they were asked, and when. */
  readonly unanswered: ReadonlyMap<NodeId, number>
  /** Their tunnels are up, and no lnetd runs there. */
  readonly absent: ReadonlySet<NodeId>
  readonly files: FilesSummary | null
  /** False while a starting daemon still keeps what it found. */
  readonly warm: boolean
}

/** What the control server asks of the daemon. */
export interface ControlSource {
  /** With WireGuard's counters as of now. */
  snapshot(): Promise<Snapshot>
  /** What the daemon would change now, from a fresh look at the kernel. */
  plan(): Promise<Result<Plan>>
  /** What happened after the event of that number, oldest first; a bounded number of events. */
  events(after: number): Promise<readonly PastEvent[]>
  /** Takes the data plane away and ends the daemon. Failures are what could not be taken away. */
  down(): Promise<readonly Failure[]>
  /** Says farewell to the mesh, then like `down`. A later start joins again. */
  leave(): Promise<readonly Failure[]>
  /** Removes a dead member here. A failure says why it stays. */
  forget(node: NodeId): Promise<Result<{ readonly node: NodeId; readonly name: NodeName }>>
}
