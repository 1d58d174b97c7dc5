import type { Endpoint } from '../model/address.ts'
import type { WireguardReading } from '../model/kernel-state.ts'
import type { Member } from '../model/member.ts'
import type { WireguardPublicKey } from '../model/wireguard-key.ts'
import type { Situation } from './decide.ts'
import { pairRank } from './derive.ts'
import { decideEndpoint } from './endpoint.ts'
import { gossipEndpoints } from './gossip-endpoint.ts'
import { withHistory } from './history.ts'
import { isHandshakeStale, type TunnelTrack } from './liveness.ts'
import { surroundingsOf } from './overlaps.ts'
import { isProven, type Proofs } from './proof.ts'
import { rankEndpoints } from './rank-endpoints.ts'
import type { Tracks } from './tracks.ts'
import type { Newcomer } from './trial.ts'
import { chooseTrials, type Trials } from './trials.ts'

/** Who is in the kernel, and where each is sent to. */
export interface Admitted {
  /** Those of the present that get a peer. */
  readonly members: readonly Member[]
  /** Keys that are only tried or listened to: no keepalive, and an endpoint only while they are tried. */
  readonly onTrial: ReadonlyMap<WireguardPublicKey, 'active' | 'passive'>
  readonly tracks: Tracks
  readonly trials: Trials
  readonly renewals: ReadonlySet<WireguardPublicKey>
  readonly dueAt: number
}

/** The proven and the operator's own stay; of the others some are tried. */
export function decideEndpoints(
  situation: Situation,
  present: readonly Member[],
  observed: ReadonlyMap<WireguardPublicKey, TunnelTrack>,
  proofs: Proofs,
): Admitted {
  const { publicKey: own, now, trials: before, node, observation } = situation
  const readings = new Map(observation.readings.map(reading => [reading.publicKey, reading]))
  const inKernel = new Set(readings.keys())
  const trusted = new Set(
    present
      .filter(member => isProven(member, proofs) || member.announcement.declaredBy === node)
      .map(({ announcement }) => announcement.publicKey),
  )
  const places = placesByKey(situation, present)
  const newcomers = newcomersOf(situation, present, trusted, places, readings)
  const claimed = new Set(newcomers.map(({ publicKey }) => publicKey))
  const proven = new Set(Array.from(proofs.values(), ({ publicKey }) => publicKey))
  const strays = observation.readings.filter(
    ({ publicKey: key, handshakeAt }) =>
      handshakeAt === null && !claimed.has(key) && !trusted.has(key) && !proven.has(key),
  ).length
  const chosen = chooseTrials(newcomers, before, {
    inKernel,
    strays,
    now,
    wallSeconds: situation.wallSeconds,
  })
  const tracks = new Map(observed)
  const renewals = new Set<WireguardPublicKey>()
  for (const [key, ranked] of places) {
    const candidates = trusted.has(key) ? ranked : chosen.active.get(key)
    if (candidates === undefined) continue
    const track = tracks.get(key)
    const decision = decideEndpoint(isGone(track, inKernel, now) ? undefined : track, key, candidates, {
      own,
      moved: situation.moved,
      now,
    })
    tracks.set(key, withHistory(decision.track, track))
    if (decision.renew) renewals.add(key)
  }
  for (const key of chosen.passive) if (isSentTo(readings.get(key))) renewals.add(key)
  const onTrial = new Map([
    ...Array.from(chosen.active.keys(), key => [key, 'active'] as const),
    ...Array.from(chosen.passive, key => [key, 'passive'] as const),
  ])
  return {
    members: present.filter(
      ({ announcement: { publicKey: key } }) => key === own || trusted.has(key) || onTrial.has(key),
    ),
    ...{ onTrial, tracks, renewals, trials: chosen.trials, dueAt: chosen.dueAt },
  }
}

/** Whoever claims another's key only adds places to try: it can neither withdraw the holder's nor decide alone. */
function placesByKey(
  situation: Situation,
  members: readonly Member[],
): ReadonlyMap<WireguardPublicKey, readonly Endpoint[]> {
  const announced = new Map<WireguardPublicKey, Member['announcement']['endpoints']>()
  for (const { announcement } of members) {
    const { publicKey, endpoints } = announcement
    if (publicKey !== situation.publicKey)
      announced.set(publicKey, [...(announced.get(publicKey) ?? []), ...endpoints])
  }
  const surroundings = surroundingsOf(situation)
  // Where gossip is comes last.
  const lastResorts = gossipEndpoints(members, situation.gossipAt, surroundings)
  return new Map(
    Array.from(announced, ([key, candidates]) => {
      const ranked = rankEndpoints(candidates, place => situation.resolved(place, key), surroundings)
      return [key, [...new Set([...ranked, ...(lastResorts.get(key) ?? [])])]]
    }),
  )
}

function newcomersOf(
  { node, neighbours }: Situation,
  present: readonly Member[],
  trusted: ReadonlySet<WireguardPublicKey>,
  places: ReadonlyMap<WireguardPublicKey, readonly Endpoint[]>,
  readings: ReadonlyMap<WireguardPublicKey, WireguardReading>,
): readonly Newcomer[] {
  const newcomers = new Map<WireguardPublicKey, Newcomer>()
  for (const { announcement, heardAt } of present) {
    const { publicKey, node: other, endpoints, sequence } = announcement
    const ranked = places.get(publicKey)
    if (ranked === undefined || trusted.has(publicKey)) continue
    const known = newcomers.get(publicKey)
    const announced = `${known?.announced ?? ''} ${sequence.incarnation} ${endpoints.map(({ place }) => place)}`
    const isThere = neighbours.has(other) || (readings.get(publicKey)?.receivedBytes ?? 0) > 0
    newcomers.set(publicKey, {
      publicKey,
      rank: Math.min(known?.rank ?? Number.POSITIVE_INFINITY, pairRank(node, other)),
      places: ranked,
      announced,
      heardAt: Math.max(known?.heardAt ?? heardAt, heardAt),
      isThere: isThere || known?.isThere === true,
    })
  }
  return [...newcomers.values()]
}

/** It was tried, and nothing came: made anew without an endpoint it is sent nothing more. */
function isSentTo(reading: WireguardReading | undefined): boolean {
  return reading !== undefined && reading.endpoint !== null && reading.receivedBytes === 0
}

/** Taken out of the kernel long ago: when its member comes back, it starts from the first candidate. */
function isGone(
  track: TunnelTrack | undefined,
  inKernel: ReadonlySet<WireguardPublicKey>,
  now: number,
): boolean {
  return track !== undefined && !inKernel.has(track.publicKey) && isHandshakeStale(track, now)
}
