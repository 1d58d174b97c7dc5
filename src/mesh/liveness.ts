import type { Endpoint } from '../model/address.ts'
import type { WireguardReading } from '../model/kernel-state.ts'
import {
  endpointTrialSeconds,
  handshakeFreshSecondsMax,
  keepaliveSecondsDefault,
  proofMilliseconds,
  receiveGrowthSecondsMax,
} from '../model/limits.ts'
import type { WireguardPublicKey } from '../model/wireguard-key.ts'
import { historyOf, isAnew } from './history.ts'

export const tunnelStates = ['up', 'unknown', 'down'] as const
export type TunnelLiveness = (typeof tunnelStates)[number]

/** What is remembered of one WireGuard peer between two looks. Times are monotonic milliseconds. */
export interface TunnelTrack {
  readonly publicKey: WireguardPublicKey
  /** Since when the peer is looked at. */
  readonly knownSince: number
  /** Where WireGuard sends, as last seen or as last decided. */
  readonly endpoint: Endpoint | null
  /** When we last set the endpoint; roaming does not count. */
  readonly endpointSetAt: number
  /** What the endpoint was last chosen from, best first. */
  readonly candidates: readonly Endpoint[]
  /** Endpoints tried in vain since the tunnel was last up. */
  readonly tried: readonly Endpoint[]
  /** How often the peer was made anew at this endpoint. */
  readonly renewals: number
  /** Endpoints tried in a row, the same ones again and again, since there was a reason to hope. */
  readonly trials: number
  /** When its node was last heard by gossip: a reason to hope. */
  readonly newsAt: number
  /** When it last answered gossip itself. */
  readonly metAt: number
  /** How often it was tried for that in vain. */
  readonly meetings: number
  /** As WireGuard counts them: from zero again for a peer made anew. */
  readonly receivedBytes: number
  readonly sentBytes: number
  /** What was counted before peers were made anew. */
  readonly pastReceivedBytes: number
  readonly pastSentBytes: number
  /** When the receive counter last grew. */
  readonly grewAt: number | null
  /** Where the peer was when it last grew. */
  readonly aliveEndpoint: Endpoint | null
  /** Unix seconds by this machine's clock, as WireGuard reports it. */
  readonly handshakeAt: number | null
  /** By the last announcement that counted for it; null before the first. */
  readonly incarnation: number | null
  /** Since when its session has to prove itself: it is a new one, or its node said that it started again. */
  readonly unprovenSince: number | null
}

/** A peer that WireGuard does not have yet. */
export function newTrack(publicKey: WireguardPublicKey, now: number): TunnelTrack {
  return {
    publicKey,
    knownSince: now,
    endpoint: null,
    endpointSetAt: now,
    candidates: [],
    tried: [],
    renewals: 0,
    trials: 0,
    newsAt: now,
    metAt: now,
    meetings: 0,
    receivedBytes: 0,
    sentBytes: 0,
    pastReceivedBytes: 0,
    pastSentBytes: 0,
    grewAt: null,
    aliveEndpoint: null,
    handshakeAt: null,
    incarnation: null,
    unprovenSince: null,
  }
}

/**
 * A look at a peer joins what is known of it. A peer found by a daemon that just started is adopted: a fresh
 * handshake counts as life, so that its endpoint is left alone. A new session has to prove itself by more than its
 * handshake: where two initiations crossed, it may carry one way only.
 */
export function observeTunnel(
  track: TunnelTrack | undefined,
  reading: WireguardReading,
  now: number,
  wallSeconds: number,
): TunnelTrack {
  const { publicKey, endpoint, handshakeAt, receivedBytes, sentBytes } = reading
  const known = track ?? newTrack(publicKey, now)
  const past = isAnew(known, reading) ? historyOf(known) : {}
  const grew = track === undefined ? isFresh(handshakeAt, wallSeconds) : hasSpoken(track, reading)
  return {
    ...known,
    ...past,
    endpoint,
    receivedBytes,
    sentBytes,
    handshakeAt,
    grewAt: grew ? now : known.grewAt,
    aliveEndpoint: grew ? endpoint : known.aliveEndpoint,
    unprovenSince: grew && track !== undefined && !hasLife(track) ? now : known.unprovenSince,
    tried: grew ? [] : known.tried,
    trials: grew ? 0 : known.trials,
    meetings: grew ? 0 : known.meetings,
  }
}

/**
 * Nothing is known of the peer any more: while this machine slept it may have given us up, and another machine with
 * our keys may have taken its session. What it says from now on counts.
 */
export function doubt(track: TunnelTrack, now: number): TunnelTrack {
  return { ...track, knownSince: now, endpointSetAt: now, grewAt: null, tried: [], renewals: 0, trials: 0 }
}

/** What its node says of itself: it may have started again, with sessions or without. */
export function noteIncarnation(track: TunnelTrack, incarnation: number, now: number): TunnelTrack {
  if (track.incarnation !== null && incarnation <= track.incarnation) return track
  return { ...track, incarnation, unprovenSince: track.incarnation === null ? null : now }
}

/**
 * Up while the receive counter grows: keepalives make it grow every 25 s on a path that works, and a handshake
 * does too. Unknown for a while after an endpoint change, then down. Trying another endpoint of what is down already is
 * no reason to hope, and neither is another round of what was tried in vain.
 */
export function tunnelLiveness(track: TunnelTrack, now: number): TunnelLiveness {
  const { grewAt, endpointSetAt, candidates, tried } = track
  if (grewAt !== null && now - grewAt <= receiveGrowthSecondsMax * 1000) return 'up'
  const wasDown = grewAt !== null && endpointSetAt - grewAt > receiveGrowthSecondsMax * 1000
  const exhausted = candidates.length > 0 && candidates.every(endpoint => tried.includes(endpoint))
  return !wasDown && !exhausted && now - endpointSetAt < endpointTrialSeconds * 1000 ? 'unknown' : 'down'
}

/** Heard from since the endpoint was set. */
export function hasLife({ grewAt, endpointSetAt }: TunnelTrack): boolean {
  return grewAt !== null && grewAt >= endpointSetAt
}

/** Up, but nothing came since its session had to prove itself; what the same look read may be from before. */
export function isUnproven(track: TunnelTrack, now: number): boolean {
  const { unprovenSince, grewAt } = track
  if (unprovenSince === null || grewAt === null || grewAt > unprovenSince) return false
  return tunnelLiveness(track, now) === 'up'
}

/**
 * When a session that did not prove itself is made anew; infinity where nothing has to be done. WireGuard by itself
 * waits 15 s for an answer (whitepaper, section 6.5). That is long where a session carries one way only, or where the
 * other machine started again and takes ours for noise. And if its clock was put back meanwhile, it cannot open a new
 * one: we take no handshake that is older than its last (section 5.4.2). A peer made anew remembers none.
 */
export function proofDueAt(track: TunnelTrack, now: number): number {
  return isUnproven(track, now) && track.unprovenSince !== null
    ? track.unprovenSince + proofMilliseconds
    : Number.POSITIVE_INFINITY
}

/** Its side may have heard us a keepalive earlier than we heard it, and have given us up with our session by now. */
export function isQuiet({ grewAt }: TunnelTrack, now: number): boolean {
  return grewAt !== null && now - grewAt > (receiveGrowthSecondsMax - keepaliveSecondsDefault) * 1000
}

/**
 * The second witness against a member: WireGuard has not heard from it for as long as a session can last, whatever
 * was tried meanwhile.
 */
export function isHandshakeStale(track: TunnelTrack, now: number): boolean {
  const lastSign = track.grewAt ?? track.knownSince
  return now - lastSign > handshakeFreshSecondsMax * 1000
}

/**
 * Without a handshake, bytes prove nothing: they may be initiations that crossed ours or whose answer is lost. A
 * peer made anew counts from zero, so what it received since the last look may be less than before, or as much with
 * another handshake.
 */
function hasSpoken(track: TunnelTrack, { receivedBytes, handshakeAt }: WireguardReading): boolean {
  if (handshakeAt === null) return false
  return receivedBytes !== track.receivedBytes ? receivedBytes > 0 : handshakeAt !== track.handshakeAt
}

function isFresh(handshakeAt: number | null, wallSeconds: number): boolean {
  return handshakeAt !== null && Math.abs(wallSeconds - handshakeAt) <= handshakeFreshSecondsMax
}
