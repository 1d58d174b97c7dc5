import type { IpAddress } from '../model/address.ts'
import type { OwnClaims } from '../model/claims.ts'
import type { Configuration } from '../model/configuration.ts'
import type { Facts } from '../model/facts.ts'
import type { GatewayAnswers, RefusedRoute } from '../model/gateway.ts'
import type { KernelState, Observation } from '../model/kernel-state.ts'
import type { Member, Membership } from '../model/member.ts'
import type { MeshId, NodeId } from '../model/node.ts'
import { tunnelMtu, type Vni } from '../model/segment.ts'
import type { Plan } from '../model/step.ts'
import type { KeyFingerprint, WireguardPublicKey } from '../model/wireguard-key.ts'
import { type Holds, holdsOf, ownHolds, withHolds } from './claims.ts'
import { decideEndpoints } from './decide-endpoints.ts'
import { desire } from './desire.ts'
import { diff } from './diff.ts'
import { endpointDueAt } from './endpoint.ts'
import { type Evidence, evidenceOf } from './evidence.ts'
import { order } from './order.ts'
import { isProven, noteProofs, type Proofs, sameProven, withoutRivals } from './proof.ts'
import type { ResolvedFor } from './rank-endpoints.ts'
import { belongsInKernel, restrain } from './removal.ts'
import { type Settlement, settle } from './settle.ts'
import { actingMembers } from './static-members.ts'
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
  /** Null while there is no VTEP address yet. */
  readonly desired: KernelState | null
  readonly plan: Plan
  readonly refusedRoutes: readonly RefusedRoute[]
  /** When time alone may change the decision, monotonic milliseconds; infinity when never. */
  readonly dueAt: number
}

/** What should change now. The same situation gives the same plan, byte for byte. */
export function decide(situation: Situation): Decision {
  const { configuration, mesh, node, publicKey, observation, now } = situation
  const members = actingMembers(situation.membership, publicKey)
  const others = holdsOf(members.map(({ announcement }) => announcement))
  const settlement = settleClaims(situation, others)
  const { claims, lost } = settlement
  const observed = observeTracks(situation)
  const candidates = members.filter(member =>
    belongsInKernel(
      member,
      observed.get(member.announcement.publicKey),
      now,
      isProven(member, situation.proofs),
    ),
  )
  const present = withoutRivals(candidates, situation.proofs, now)
  const proofs = noteProofs(situation.proofs, present, observation.readings)
  const before = { ...situation, trials: trialsAfter(situation, proofs) }
  const admitted = decideEndpoints(before, present, observed, proofs)
  const { members: inside, tracks, renewals, onTrial } = admitted
  const proven = inside.filter(member => isProven(member, proofs))
  const holds = withHolds(others, holdsOf(ownHolds(node, claims)))
  const ways = waysOf({ ...situation, claims, tracks }, proven, holds, evidenceIn(situation, observed))
  const desired = desire(
    {
      configuration,
      mesh,
      node,
      publicKey,
      presharedKey: key => situation.presharedKey(key),
      claims,
      lost,
      mtu: ownMtu(situation),
      ...{ bridges: observation.bridges, forwarding: observation.forwarding },
      limitsFloods: observation.limitsFloods,
      ...{ watchesLoops: observation.watchesLoops, keptOut: situation.keptOut },
      observed: observation.state.gateway,
    },
    { members: inside, proven, onTrial, holds, tracks, ways },
  )
  const steps =
    desired === null ? [] : diff(desired, observation.state, { renewals, rewriteEndpoints: situation.moved })
  const plan = restrain(order(steps, configuration.tunnel.interface), situation.warm, members)
  const waiting = inside.filter(({ announcement }) => onTrial.get(announcement.publicKey) !== 'passive')
  const dueAt = Math.min(admitted.dueAt, nextDueAt(tracks, waiting, publicKey, now))
  return {
    ...settlement,
    tracks,
    proofs,
    trials: admitted.trials,
    desired,
    plan,
    refusedRoutes: ways.refused,
    dueAt,
  }
}

function trialsAfter({ trials, proofs, now }: Situation, after: Proofs): Trials {
  return sameProven(proofs, after) ? trials : { ...trials, provenAt: now }
}

function evidenceIn({ configuration, membership, now }: Situation, tracks: Tracks): Evidence {
  const { heartbeatSeconds } = configuration.gossip
  return evidenceOf({ tracks, heartbeatSeconds, members: membership.size, now })
}

function settleClaims(situation: Situation, holds: Holds): Settlement {
  const { configuration, mesh, node, mayChoose } = situation
  const rules = { node, mesh, tunnel: configuration.tunnel, segments: configuration.segments, mayChoose }
  return settle(situation.claims, holds, rules, situation.wallSeconds)
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
