import type { Gossip } from '../gossip/port.ts'
import type { StepFailure } from '../kernel/port.ts'
import type { Decision } from '../mesh/decide.ts'
import type { FloodTracks } from '../mesh/flood.ts'
import { firstSequence, type Impostor, noImpostor } from '../mesh/identity.ts'
import type { LoopTracks } from '../mesh/loop.ts'
import type { Proofs } from '../mesh/proof.ts'
import { type Records, restoredRecords } from '../mesh/records.ts'
import type { LostClaim } from '../mesh/settle.ts'
import type { Tracks } from '../mesh/tracks.ts'
import { noTrials, type Trials } from '../mesh/trials.ts'
import type { IpAddress, Prefix } from '../model/address.ts'
import type { Announcement, Envelope, IgnoreReason, RejectReason } from '../model/announcement.ts'
import type { OwnClaims } from '../model/claims.ts'
import type { Configuration } from '../model/configuration.ts'
import type { Facts } from '../model/facts.ts'
import type { Failure } from '../model/failure.ts'
import type { Overlap } from '../model/foreign-network.ts'
import type { GatewayAnswers, RefusedRoute } from '../model/gateway.ts'
import type { KernelState, Observation } from '../model/kernel-state.ts'
import type { Member, Membership } from '../model/member.ts'
import type { NodeId, Sequence } from '../model/node.ts'
import { type ConductBook, createConductBook } from './conduct.ts'
import type { DaemonParts } from './parts.ts'

/** What the daemon knows now. One owner a field: who else writes it is a bug. */
export interface State {
  /** Replaced as a whole by a reload. */
  configuration: Configuration
  readonly startedAt: number
  facts: Facts
  /** Addresses of this machine that gossip connections had since the start. */
  gossipSources: ReadonlySet<IpAddress>

  /** Listener: everyone but ourselves. */
  membership: Membership
  /** Those of before the start, however old: whom to look for, and whom to save, until a sync tells who there is. */
  recalled: Membership
  /** Forgetter: members an operator took out, by the last sequence they reached. */
  forgotten: ReadonlyMap<NodeId, Sequence>
  readonly refused: Map<RejectReason | IgnoreReason, number>
  readonly conduct: ConductBook
  /** A sync exchange with some neighbour ended since the start. */
  synced: boolean
  /** Words and exchanges of others that came to an end since the start. */
  heard: number
  /** The address of each member's gossip connection, the last one where there is none now. */
  gossipAt: ReadonlyMap<NodeId, IpAddress>
  /** Connections to others that came or went since the start. */
  connections: number

  /** Witness: members that did not answer gossip when they were suspected, and when. */
  readonly unanswered: Map<NodeId, number>

  /** Absence watch: members whose tunnel is up and whose machine has no lnetd running. */
  absent: ReadonlySet<NodeId>

  /** Announcer. */
  sequence: Sequence
  own: Member | null
  impostor: Impostor

  /** Reconciler. */
  claims: OwnClaims
  refusedRoutes: readonly RefusedRoute[]
  /** Networks of the mesh that this machine uses otherwise. */
  overlaps: readonly Overlap[]
  lost: readonly LostClaim[]
  exhausted: readonly Prefix[]
  tracks: Tracks
  /** Whose keys shook hands; those of before the start by the listener, those forgotten taken away by the witness. */
  proofs: Proofs
  trials: Trials
  /** What was seen of claims; those of before the start are in the state file. */
  records: Records
  observation: Observation | null
  /** What was desired when the kernel last was as it should be. */
  settled: KernelState | null
  /** Our own addresses changed, or we are back from solitude, and WireGuard was not told yet. Raised by the witness and the reunion. */
  moved: boolean
  /** Sessions may be dead: this machine slept, or another used its keys. Raised by the witness and the announcer. */
  inDoubt: boolean
  kernelFailure: Failure | null
  /** Looks at the kernel and changes to it that came to an end since the start, well or not. */
  looks: number
  stepFailures: readonly StepFailure[]

  /** Loop keeper: segments that a cable may make a loop of. */
  loops: LoopTracks

  /** Looker. */
  floods: FloodTracks

  /** Asker: how gateways in question answer. */
  answers: ReadonlyMap<NodeId, GatewayAnswers>

  /** Journal. */
  saveFailure: Failure | null

  gossip: Gossip | null
}

export function newState(parts: DaemonParts, facts: Facts): State {
  return {
    configuration: parts.configuration,
    startedAt: parts.clock.now(),
    facts,
    gossipSources: new Set(),
    membership: new Map(),
    recalled: new Map(),
    forgotten: parts.archive.saved.forgotten,
    refused: new Map(),
    conduct: createConductBook(parts.clock.now),
    synced: false,
    heard: 0,
    gossipAt: new Map(),
    connections: 0,
    unanswered: new Map(),
    absent: new Set(),
    sequence: firstSequence(parts.archive.saved.incarnation + 1, parts.clock.random()),
    own: null,
    impostor: noImpostor,
    claims: parts.archive.saved.claims,
    lost: [],
    refusedRoutes: [],
    overlaps: [],
    answers: new Map(),
    loops: new Map(),
    floods: new Map(),
    exhausted: [],
    tracks: new Map(),
    proofs: new Map(),
    trials: noTrials,
    records: restoredRecords(parts.archive.saved.holders),
    observation: null,
    settled: null,
    moved: false,
    inDoubt: false,
    kernelFailure: null,
    looks: 0,
    stepFailures: [],
    saveFailure: null,
    gossip: null,
  }
}

/** Our own announcement as a member, once it was spoken, and everyone else. */
export function everyone(state: State): readonly Member[] {
  return state.own === null ? [...state.membership.values()] : [state.own, ...state.membership.values()]
}

/** Keeps what a decision found out for the next one. */
export function learn(state: State, decision: Decision, observation: Observation): void {
  const { tracks, proofs, trials, records, claims, lost, refusedRoutes, overlaps, exhausted } = decision
  Object.assign(state, { tracks, proofs, trials, records, claims, lost, refusedRoutes, overlaps, exhausted })
  state.observation = observation
}

/** The membership, with those of before as long as nobody was found. */
export function remembered({ synced, recalled, membership }: State): Membership {
  return synced || recalled.size === 0 ? membership : new Map([...recalled, ...membership])
}

export function ownMember(announcement: Announcement, envelope: Envelope, now: number): Member {
  return { announcement, envelope, heardAt: now }
}
