import type { Endpoint } from '../model/address.ts'
import {
  endpointTrialSeconds,
  endpointTrialSecondsMax,
  firstContactTrialSeconds,
  meetingsMax,
  patientRoundsMin,
  renewalMilliseconds,
} from '../model/limits.ts'
import type { WireguardPublicKey } from '../model/wireguard-key.ts'
import {
  hasLife,
  isQuiet,
  isUnproven,
  newTrack,
  proofDueAt,
  type TunnelTrack,
  tunnelLiveness,
} from './liveness.ts'
import { isSuspect } from './suspicion.ts'

/** What a decision depends on beyond the peer itself. */
export interface Circumstances {
  readonly own: WireguardPublicKey
  /** This machine is elsewhere, or back, since the last decision. */
  readonly moved: boolean
  /** Monotonic milliseconds. */
  readonly now: number
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
  candidates: readonly Endpoint[],
  { own, moved, now }: Circumstances,
): EndpointDecision {
  if (track === undefined) return { track: start(newTrack(publicKey, now), candidates, 0, now), renew: false }
  const isDoubtful = moved && isQuiet(track, now) && !isUnproven(track, now)
  const isProofDue = now >= proofDueAt(track, now) || (isDoubtful && isSuspect(track, now))
  const sameSession = isDoubtful ? { ...track, unprovenSince: now } : track
  const newSession = { ...track, unprovenSince: moved ? now : null }
  if (wasWithdrawn(track, candidates)) {
    const renew = !hasLife(track) || isProofDue
    return { track: start({ ...(renew ? newSession : sameSession), trials: 0 }, candidates, 0, now), renew }
  }
  const known = sameList(track.candidates, candidates) ? sameSession : { ...sameSession, candidates }
  if (candidates.length === 0) return { track: known, renew: false }
  if (tunnelLiveness(track, now) === 'up')
    return { track: isProofDue ? { ...newSession, candidates } : known, renew: isProofDue }
  if (moved && known.endpointSetAt < now) return { track: startAfresh(known, candidates, now), renew: true }
  if (isMetAgain(known, own)) {
    const started = startOnWord(known, candidates, now)
    return { track: { ...started, meetings: known.meetings + 1 }, renew: own < publicKey }
  }
  if (hasNewHope(known, own)) return { track: startOnWord(known, candidates, now), renew: true }
  if (track.endpoint === null || now >= trialEndsAt(known))
    return { track: start(known, candidates, nextIndex(known), now), renew: true }
  if (now >= renewalDueAt(known, own))
    return { track: { ...known, renewals: renewalsDue(known, own, now) }, renew: true }
  return { track: known, renew: false }
}

/**
 * It answered gossip itself, and its tunnel should have answered by then: the way to it is open, perhaps since a
 * moment ago. Both sides know at once, so only one may begin. Where that is in vain, as where a firewall lets gossip
 * through and not the tunnel, it is left to patience.
 */
export function isMetAgain(track: TunnelTrack, own: WireguardPublicKey): boolean {
  if (hasLife(track) || track.meetings >= meetingsMax) return false
  return track.metAt >= track.endpointSetAt + Math.min(...renewalSchedule(track, own))
}

/** When a trial or a renewal falls due; infinity when there is none. Always after the decision's `now`. */
export function endpointDueAt(track: TunnelTrack, own: WireguardPublicKey, now: number): number {
  if (track.candidates.length === 0) return Number.POSITIVE_INFINITY
  if (tunnelLiveness(track, now) === 'up') return proofDueAt(track, now)
  return Math.min(trialEndsAt(track), renewalDueAt(track, own))
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

/** All that was tried in vain may work now; what did last is the likeliest. */
function startAfresh(track: TunnelTrack, candidates: readonly Endpoint[], now: number): TunnelTrack {
  const last = track.aliveEndpoint === null ? -1 : candidates.indexOf(track.aliveEndpoint)
  return { ...start({ ...track, trials: 0 }, candidates, Math.max(0, last), now), tried: [] }
}

/** Who never answered may speak by others for ever: its places are tried in turn, and it stays down meanwhile. */
function startOnWord(track: TunnelTrack, candidates: readonly Endpoint[], now: number): TunnelTrack {
  if (track.aliveEndpoint !== null) return startAfresh(track, candidates, now)
  return start({ ...track, trials: 0 }, candidates, nextIndex(track), now)
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

/**
 * It was heard when all renewals of its trial were through: what is left of that would be waiting. A burst of words
 * does not start one trial after the other.
 */
function hasNewHope(track: TunnelTrack, own: WireguardPublicKey): boolean {
  return track.newsAt >= track.endpointSetAt + Math.max(...renewalSchedule(track, own))
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
