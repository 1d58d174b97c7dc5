import type { IpAddress } from '../model/address.ts'
import type { OwnClaims } from '../model/claims.ts'
import type { Configuration } from '../model/configuration.ts'
import type { Facts } from '../model/facts.ts'
import type { Overlap } from '../model/foreign-network.ts'
import type { GatewayAnswers, RefusedRoute } from '../model/gateway.ts'
import type { KernelState, Observation } from '../model/kernel-state.ts'
import type { Member, Membership } from '../model/member.ts'
import type { MeshId, NodeId } from '../model/node.ts'
import { tunnelMtu, type Vni } from '../model/segment.ts'
import type { Plan } from '../model/step.ts'
import type { KeyFingerprint, WireguardPublicKey } from '../model/wireguard-key.ts'
import { assess, keepRecords } from './assess.ts'
import { holdsOf, ownHolds, withHolds } from './claims.ts'
import { decideEndpoints } from './decide-endpoints.ts'
import { desire, type World } from './desire.ts'
import { diff } from './diff.ts'
import { endpointDueAt } from './endpoint.ts'
import { keepKeys, keyTurnDueAt, mayProve } from './key-claims.ts'
import { order } from './order.ts'
import { findOverlaps, refusedPrefixes } from './overlaps.ts'
import { isProven, noteProofs, type Proofs, sameProven, withoutRivals } from './proof.ts'
import type { ResolvedFor } from './rank-endpoints.ts'
import type { Records } from './records.ts'
import { belongsInKernel, restrain } from './removal.ts'
import { type Settlement, settle } from './settle.ts'
import { unknownVteps } from './source-ports.ts'
import { suspectDueAt } from './suspicion.ts'
import { observeTracks, type Tracks } from './tracks.ts'
import type { Trials } from './trials.ts'
import { waysOf } from './ways.ts'

/** All that a decision depends on. */
export interface Situation {
  readonly configuration: Configuration
  readonly mesh: MeshId
  readonly node: NodeId
  readonly publicKey: WireguardPublicKey
  presharedKey(publicKey: WireguardPublicKey): KeyFingerprint
  readonly facts: Facts
  readonly claims: OwnClaims
  readonly membership: Membership
  readonly tracks: Tracks
  readonly proofs: Proofs
  readonly trials: Trials
  readonly records: Records
  /** Members that did not answer gossip when they were asked, and when. */
  readonly unanswered: ReadonlyMap<NodeId, number>
  readonly observation: Observation
  readonly resolved: ResolvedFor
  /** The address of each member's gossip connection, the last one where there is none now. */
  readonly gossipAt: ReadonlyMap<NodeId, IpAddress>
  /** Those that hold a gossip connection with us. */
  readonly neighbours: ReadonlySet<NodeId>
  /** How gateways answered. */
  readonly answers: ReadonlyMap<NodeId, GatewayAnswers>
  /** Segments that stay out of their bridges, because they are or may be part of a loop. */
  readonly keptOut: ReadonlySet<Vni>
  /** Automatic IPv4 addresses may be chosen: it is known what others hold. */
  readonly mayChoose: boolean
  /** The mesh was heard, or has had its time: what is not known may be taken away. */
  readonly warm: boolean
  /** This machine is elsewhere, or back, since the endpoints were last set. */
  readonly moved: boolean
  /** Every tunnel has to prove itself again: this machine slept, or another used its keys. */
  readonly inDoubt: boolean
  /** Monotonic milliseconds. */
  readonly now: number
  readonly wallSeconds: number
}

export interface Decision extends Settlement {
  readonly tracks: Tracks
  readonly proofs: Proofs
  readonly trials: Trials
  readonly records: Records
  /** Null while there is no VTEP address yet. */
  readonly desired: KernelState | null
  readonly plan: Plan
  readonly refusedRoutes: readonly RefusedRoute[]
  readonly overlaps: readonly Overlap[]
  /** When time alone may change the decision, monotonic milliseconds; infinity when never. */
  readonly dueAt: number
}

/** What should change now. The same situation gives the same plan, byte for byte. */
export function decide(situation: Situation): Decision {
  const { configuration, mesh, node, publicKey, observation, now } = situation
  const overlaps = findOverlaps(configuration, mesh, observation)
  const refused = refusedPrefixes(overlaps)
  const observed = observeTracks(situation)
  const keys = keepKeys(situation.records.keys, { ...situation, tracks: observed })
  const seen = { ...situation, tracks: observed, records: { ...situation.records, keys } }
  const assessment = assess(seen)
  const { members, evidence, judgement } = assessment
  const others = holdsOf(
    members.map(({ announcement }) => announcement),
    judgement,
  )
  const { tunnel, segments } = configuration
  const rules = { node, mesh, tunnel, segments, mayChoose: situation.mayChoose, judgement }
  const settlement = settle(situation.claims, others, rules, situation.wallSeconds)
  const { claims, lost } = settlement
  const candidates = members.filter(member =>
    belongsInKernel(
      member,
      observed.get(member.announcement.publicKey),
      now,
      isProven(member, situation.proofs),
    ),
  )
  const present = withoutRivals(candidates, situation.proofs, now)
  const shaken = present.filter(member => mayProve(member, keys, observed))
  const proofs = noteProofs(situation.proofs, shaken, observation.readings)
  const before = { ...situation, trials: trialsAfter(situation, proofs) }
  const admitted = decideEndpoints(before, present, observed, proofs)
  const { members: inside, tracks, renewals, onTrial } = admitted
  const proven = inside.filter(member => isProven(member, proofs))
  const holds = withHolds(others, holdsOf(ownHolds(node, claims), judgement))
  const records = keepRecords(seen, assessment, claims, holds)
  const ways = waysOf({ ...situation, claims, tracks }, proven, holds, { evidence, refused })
  const desired = desire(
    {
      ...{ configuration, mesh, node, publicKey },
      presharedKey: key => situation.presharedKey(key),
      claims,
      lost,
      mtu: ownMtu(situation),
      ...{ bridges: observation.bridges, forwarding: observation.forwarding },
      limitsFloods: observation.limitsFloods,
      ...{ watchesLoops: observation.watchesLoops, keptOut: situation.keptOut },
      ...{ refused, networks: observation.networks, hasTunnel: observation.state.tunnel !== null },
      observed: observation.state.gateway,
    },
    { members: inside, proven, onTrial, holds, tracks, ways, ...unheard(situation) },
  )
  const steps =
    desired === null ? [] : diff(desired, observation.state, { renewals, rewriteEndpoints: situation.moved })
  const plan = restrain(order(steps, configuration.tunnel.interface), situation.warm, members, refused)
  const waiting = inside.filter(({ announcement }) => onTrial.get(announcement.publicKey) !== 'passive')
  const turnAt = keyTurnDueAt(keys, { ...situation, tracks: observed })
  const dueAt = Math.min(admitted.dueAt, nextDueAt(tracks, waiting, publicKey, now), turnAt)
  const { trials } = admitted
  const refusals = { refusedRoutes: ways.refused, overlaps }
  return { ...settlement, ...refusals, tracks, proofs, trials, records, desired, plan, dueAt }
}

/** Peers are kept before the mesh was heard. */
function unheard({ warm, observation, membership, now }: Situation): Pick<World, 'unknown' | 'now'> {
  return { unknown: warm ? [] : unknownVteps(observation.state, membership), now }
}

function trialsAfter({ trials, proofs, now }: Situation, after: Proofs): Trials {
  return sameProven(proofs, after) ? trials : { ...trials, provenAt: now }
}

/**
 * What our path allows. Before the mesh was heard not more than the tunnel has: the others' limits are not known
 * again yet, and frames too large for them would be lost.
 */
function ownMtu({ facts, observation, warm }: Situation): number {
  const allowed = tunnelMtu(facts.pathMtu)
  return warm ? allowed : Math.min(allowed, observation.state.tunnel?.mtu ?? allowed)
}

function nextDueAt(tracks: Tracks, present: readonly Member[], own: WireguardPublicKey, now: number): number {
  return present.reduce((soonest, { announcement }) => {
    const track = tracks.get(announcement.publicKey)
    if (track === undefined) return soonest
    return Math.min(soonest, endpointDueAt(track, own, now), suspectDueAt(track, now))
  }, Number.POSITIVE_INFINITY)
}
