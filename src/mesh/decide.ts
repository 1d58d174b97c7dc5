import type { IpAddress } from '../model/address.ts'
import type { EndpointCandidate } from '../model/announcement.ts'
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
import { type Holds, holdsOf, ownHolds, segmentPrefixes, tunnelPrefix, withHolds } from './claims.ts'
import { desire } from './desire.ts'
import { diff } from './diff.ts'
import { decideEndpoint, endpointDueAt } from './endpoint.ts'
import { type Evidence, evidenceOf } from './evidence.ts'
import { gossipEndpoints } from './gossip-endpoint.ts'
import { isHandshakeStale, type TunnelTrack } from './liveness.ts'
import { order } from './order.ts'
import { noteProofs, type Proofs, withoutRivals } from './proof.ts'
import { type ResolvedFor, rankEndpoints, type Surroundings } from './rank-endpoints.ts'
import { belongsInKernel, restrain } from './removal.ts'
import { type Settlement, settle } from './settle.ts'
import { actingMembers } from './static-members.ts'
import { suspectDueAt } from './suspicion.ts'
import { observeTracks, type Tracks } from './tracks.ts'
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
  readonly observation: Observation
  readonly resolved: ResolvedFor
  /** The address of each member's gossip connection, the last one where there is none now. */
  readonly gossipAt: ReadonlyMap<NodeId, IpAddress>
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
    belongsInKernel(member, observed.get(member.announcement.publicKey), now),
  )
  const present = withoutRivals(candidates, situation.proofs, now)
  const proofs = noteProofs(situation.proofs, present, observation.readings)
  const { tracks, renewals } = decideEndpoints(situation, present, observed)
  const holds = withHolds(others, holdsOf(ownHolds(node, claims)))
  const ways = waysOf({ ...situation, claims, tracks }, present, holds, evidenceIn(situation, observed))
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
    { members: present, holds, tracks, ways },
  )
  const steps =
    desired === null ? [] : diff(desired, observation.state, { renewals, rewriteEndpoints: situation.moved })
  const plan = restrain(order(steps, configuration.tunnel.interface), situation.warm, members)
  const dueAt = nextDueAt(tracks, present, publicKey, now)
  return { ...settlement, tracks, proofs, desired, plan, refusedRoutes: ways.refused, dueAt }
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

function decideEndpoints(
  situation: Situation,
  present: readonly Member[],
  observed: ReadonlyMap<WireguardPublicKey, TunnelTrack>,
) {
  const surroundings = surroundingsOf(situation)
  const inKernel = new Set(situation.observation.readings.map(reading => reading.publicKey))
  const tracks = new Map(observed)
  const renewals = new Set<WireguardPublicKey>()
  const lastResorts = gossipEndpoints(present, situation.gossipAt, surroundings)
  for (const [publicKey, announced] of endpointsByKey(present, situation.publicKey)) {
    const ranked = rankEndpoints(announced, place => situation.resolved(place, publicKey), surroundings)
    const candidates = [...new Set([...ranked, ...(lastResorts.get(publicKey) ?? [])])]
    const decision = decideEndpoint(
      isGone(tracks.get(publicKey), inKernel, situation.now) ? undefined : tracks.get(publicKey),
      publicKey,
      candidates,
      { own: situation.publicKey, moved: situation.moved, now: situation.now },
    )
    tracks.set(publicKey, decision.track)
    if (decision.renew) renewals.add(publicKey)
  }
  return { tracks, renewals }
}

/** Whoever claims another's key only adds places to try: it can neither withdraw the holder's nor decide alone. */
function endpointsByKey(
  members: readonly Member[],
  own: WireguardPublicKey,
): ReadonlyMap<WireguardPublicKey, readonly EndpointCandidate[]> {
  const announced = new Map<WireguardPublicKey, readonly EndpointCandidate[]>()
  for (const { announcement } of members) {
    const { publicKey, endpoints } = announcement
    if (publicKey !== own) announced.set(publicKey, [...(announced.get(publicKey) ?? []), ...endpoints])
  }
  return announced
}

/**
 * What our path allows. Before the mesh was heard not more than the tunnel has: the others' limits are not known
 * again yet, and frames too large for them would be lost.
 */
function ownMtu({ facts, observation, warm }: Situation): number {
  const allowed = tunnelMtu(facts.pathMtu)
  return warm ? allowed : Math.min(allowed, observation.state.tunnel?.mtu ?? allowed)
}

/** Taken out of the kernel long ago: when its member comes back, it starts from the first candidate. */
function isGone(
  track: TunnelTrack | undefined,
  inKernel: ReadonlySet<WireguardPublicKey>,
  now: number,
): boolean {
  return track !== undefined && !inKernel.has(track.publicKey) && isHandshakeStale(track, now)
}

function surroundingsOf({ configuration, mesh, facts }: Situation): Surroundings {
  return {
    addresses: facts.addresses.map(({ address }) => address),
    networks: facts.addresses.filter(({ kind }) => kind !== 'vpn').map(({ network }) => network),
    vpns: facts.addresses.filter(({ kind }) => kind === 'vpn').map(({ network }) => network),
    inside: [
      tunnelPrefix(configuration.tunnel, mesh),
      ...configuration.segments.flatMap(segment => segmentPrefixes(segment, mesh)),
    ],
  }
}

function nextDueAt(tracks: Tracks, present: readonly Member[], own: WireguardPublicKey, now: number): number {
  return present.reduce((soonest, { announcement }) => {
    const track = tracks.get(announcement.publicKey)
    if (track === undefined) return soonest
    return Math.min(soonest, endpointDueAt(track, own, now), suspectDueAt(track, now))
  }, Number.POSITIVE_INFINITY)
}
