import {
  type Endpoint,
  familyOf,
  type HostPort,
  hostAddress,
  type IpAddress,
  type Prefix,
  prefixContains,
} from '../model/address.ts'
import type { EndpointCandidate } from '../model/announcement.ts'
import {
  endpointTrialSeconds,
  endpointTrialSecondsMax,
  firstContactTrialSeconds,
  patientRoundsMin,
  renewalMilliseconds,
  resolvedEndpointsMax,
} from '../model/limits.ts'
import { scopeOf } from '../model/scope.ts'
import type { WireguardPublicKey } from '../model/wireguard-key.ts'
import { hasLife, newTrack, proofDueAt, type TunnelTrack, tunnelLiveness } from './liveness.ts'

/** What this machine knows of the networks it can reach directly. */
export interface Surroundings {
  /** Our own underlay addresses. */
  readonly addresses: readonly IpAddress[]
  /** The networks they are in. */
  readonly networks: readonly Prefix[]
  /** Networks inside the mesh: the tunnel's and the segments'. Nothing in them is an endpoint. */
  readonly inside: readonly Prefix[]
}

/** The endpoints of a name now; empty while it is not resolved. */
export type Resolved = (place: HostPort) => readonly Endpoint[]

/**
 * Usable endpoints, best first: on a LAN of ours, then as the author ordered them; those of a family we have no
 * address of come last. Never our own address, never an address inside the mesh.
 */
export function rankEndpoints(
  candidates: readonly EndpointCandidate[],
  resolved: Resolved,
  surroundings: Surroundings,
): readonly Endpoint[] {
  const families = new Set(surroundings.addresses.map(familyOf))
  const ranked = candidates
    .flatMap(({ place, kind }) => endpointsOf(place, resolved).map(endpoint => ({ endpoint, kind })))
    .flatMap(({ endpoint, kind }) => {
      const address = hostAddress(endpoint)
      if (address === null || !isUsable(address, surroundings)) return []
      const onLan = surroundings.networks.some(network => prefixContains(network, address))
      const rank = families.has(familyOf(address)) ? (onLan ? 0 : kindRank[kind]) : unreachableRank
      return [{ endpoint, rank }]
    })
  ranked.sort((a, b) => a.rank - b.rank)
  return [...new Set(ranked.map(({ endpoint }) => endpoint))]
}

export interface EndpointDecision {
  readonly track: TunnelTrack
  /** Make the peer anew, so that its handshake starts now and not at WireGuard's next retry. */
  readonly renew: boolean
}

/**
 * Where to reach a peer. A tunnel that is up is WireGuard's business, unless its endpoint was one the author has
 * since withdrawn. One that is not gets the next candidate when its trial is over.
 */
export function decideEndpoint(
  track: TunnelTrack | undefined,
  publicKey: WireguardPublicKey,
  own: WireguardPublicKey,
  candidates: readonly Endpoint[],
  now: number,
): EndpointDecision {
  if (track === undefined) return { track: start(newTrack(publicKey, now), candidates, 0, now), renew: false }
  const isProofDue = now >= proofDueAt(track, now)
  if (wasWithdrawn(track, candidates)) {
    const renew = !hasLife(track) || isProofDue
    const moved = { ...track, trials: 0, unprovenSince: renew ? null : track.unprovenSince }
    return { track: start(moved, candidates, 0, now), renew }
  }
  const known = sameList(track.candidates, candidates) ? track : { ...track, candidates }
  if (candidates.length === 0) return { track: known, renew: false }
  if (tunnelLiveness(track, now) === 'up')
    return { track: isProofDue ? { ...known, unprovenSince: null } : known, renew: isProofDue }
  if (hasNewHope(known))
    return { track: start({ ...known, trials: 0 }, candidates, nextIndex(known), now), renew: true }
  if (track.endpoint === null || now >= trialEndsAt(known))
    return { track: start(known, candidates, nextIndex(known), now), renew: true }
  if (now >= renewalDueAt(known, own))
    return { track: { ...known, renewals: renewalsDue(known, own, now) }, renew: true }
  return { track: known, renew: false }
}

/** When a trial or a renewal falls due; infinity when there is none. Always after the decision's `now`. */
export function endpointDueAt(track: TunnelTrack, own: WireguardPublicKey, now: number): number {
  if (track.candidates.length === 0) return Number.POSITIVE_INFINITY
  if (tunnelLiveness(track, now) === 'up') return proofDueAt(track, now)
  return Math.min(trialEndsAt(track), renewalDueAt(track, own))
}

const kindRank = { configured: 1, public: 2, lan: 3 } as const
const unreachableRank = 4

function endpointsOf(place: HostPort, resolved: Resolved): readonly Endpoint[] {
  if (hostAddress(place) !== null) return [place as string as Endpoint]
  return resolved(place).slice(0, resolvedEndpointsMax)
}

function isUsable(address: IpAddress, { addresses, inside }: Surroundings): boolean {
  const scope = scopeOf(address)
  if (scope !== 'global' && scope !== 'private') return false
  return !addresses.includes(address) && !inside.some(prefix => prefixContains(prefix, address))
}

/** The author moved: where we send is an endpoint it used to announce and announces no longer. */
function wasWithdrawn(track: TunnelTrack, candidates: readonly Endpoint[]): boolean {
  const { endpoint } = track
  if (endpoint === null || candidates.length === 0) return false
  return track.candidates.includes(endpoint) && !candidates.includes(endpoint)
}

function start(track: TunnelTrack, candidates: readonly Endpoint[], index: number, now: number): TunnelTrack {
  const tried =
    track.endpoint === null || track.tried.includes(track.endpoint) || hasLife(track)
      ? track.tried
      : [...track.tried, track.endpoint].filter(endpoint => candidates.includes(endpoint))
  return {
    ...track,
    candidates,
    endpoint: candidates[index] ?? null,
    endpointSetAt: now,
    tried,
    renewals: 0,
    trials: track.trials + 1,
  }
}

function nextIndex(track: TunnelTrack): number {
  const current = track.endpoint === null ? -1 : track.candidates.indexOf(track.endpoint)
  return (current + 1) % track.candidates.length
}

/** A first contact hurries through what was not tried yet; later rounds are patient, and each more so than the last. */
function trialEndsAt(track: TunnelTrack): number {
  const untried = track.candidates.filter(endpoint => !track.tried.includes(endpoint))
  const hurry = untried.some(endpoint => endpoint !== track.endpoint)
  return track.endpointSetAt + (hurry ? firstContactTrialSeconds : patienceSeconds(track)) * 1000
}

/** A machine that is off for days is tried now and then: it comes to us when it is on again. */
function patienceSeconds({ trials, candidates }: TunnelTrack): number {
  const rounds = Math.ceil(trials / candidates.length)
  const doublings = Math.max(0, rounds - patientRoundsMin)
  return Math.min(endpointTrialSeconds * 2 ** doublings, endpointTrialSecondsMax)
}

/** Its last word is younger than the trial it waits for. */
function hasNewHope(track: TunnelTrack): boolean {
  return track.newsAt > track.endpointSetAt && patienceSeconds(track) > endpointTrialSeconds
}

/**
 * Initiations that cross kill each other, and one that comes before the other side knows us is lost; WireGuard
 * itself retries after 5 s only. The lower key goes first, so that the second try does not cross again.
 */
function renewalDueAt(track: TunnelTrack, own: WireguardPublicKey): number {
  const after = renewalSchedule(track, own)[track.renewals]
  return after === undefined || hasLife(track) ? Number.POSITIVE_INFINITY : track.endpointSetAt + after
}

/** Whoever comes late renews once, not once for each time that was missed. */
function renewalsDue(track: TunnelTrack, own: WireguardPublicKey, now: number): number {
  return renewalSchedule(track, own).filter(after => now >= track.endpointSetAt + after).length
}

function renewalSchedule({ publicKey }: TunnelTrack, own: WireguardPublicKey): readonly number[] {
  return renewalMilliseconds[own < publicKey ? 'lower' : 'higher']
}

function sameList(a: readonly Endpoint[], b: readonly Endpoint[]): boolean {
  return a.length === b.length && a.every((endpoint, index) => endpoint === b[index])
}
