import type { Endpoint } from '../model/address.ts'
import type { WireguardReading } from '../model/kernel-state.ts'
import { endpointTrialSeconds, handshakeFreshSecondsMax, receiveGrowthSecondsMax } from '../model/limits.ts'
import type { WireguardPublicKey } from '../model/wireguard-key.ts'

export const tunnelStates = ['up', 'unknown', 'down'] as const
export type TunnelLiveness = (typeof tunnelStates)[number]

/** What is remembered of one WireGuard peer between two looks. Times are monotonic milliseconds. */
export interface TunnelTrack {
  readonly publicKey: WireguardPublicKey
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
  readonly receivedBytes: number
  readonly sentBytes: number
  /** When the receive counter last grew. */
  readonly grewAt: number | null
  /** Unix seconds by this machine's clock, as WireGuard reports it. */
  readonly handshakeAt: number | null
}

/** A peer that WireGuard does not have yet. */
export function newTrack(publicKey: WireguardPublicKey, now: number): TunnelTrack {
  return {
    publicKey,
    endpoint: null,
    endpointSetAt: now,
    candidates: [],
    tried: [],
    renewals: 0,
    receivedBytes: 0,
    sentBytes: 0,
    grewAt: null,
    handshakeAt: null,
  }
}

/**
 * A look at a peer joins what is known of it. A peer found by a daemon that just started is adopted: a fresh
 * handshake counts as life, so that its endpoint is left alone.
 */
export function observeTunnel(
  track: TunnelTrack | undefined,
  reading: WireguardReading,
  now: number,
  wallSeconds: number,
): TunnelTrack {
  const { publicKey, endpoint, handshakeAt, receivedBytes, sentBytes } = reading
  const known = track ?? newTrack(publicKey, now)
  const adopted = track === undefined && isFresh(handshakeAt, wallSeconds)
  const grew = adopted || (track !== undefined && receivedBytes > known.receivedBytes)
  return {
    ...known,
    endpoint,
    receivedBytes,
    sentBytes,
    handshakeAt,
    grewAt: grew ? now : known.grewAt,
    tried: grew ? [] : known.tried,
  }
}

/**
 * Up while the receive counter grows: keepalives make it grow every 25 s on a path that works, and a handshake
 * does too. Unknown for a while after an endpoint change, then down.
 */
export function tunnelLiveness(track: TunnelTrack, now: number): TunnelLiveness {
  if (track.grewAt !== null && now - track.grewAt <= receiveGrowthSecondsMax * 1000) return 'up'
  return now - track.endpointSetAt < endpointTrialSeconds * 1000 ? 'unknown' : 'down'
}

/** The second witness against a member: WireGuard has not heard from it for as long as a session can last. */
export function isHandshakeStale(track: TunnelTrack, now: number): boolean {
  const lastSign = track.grewAt ?? track.endpointSetAt
  return now - lastSign > handshakeFreshSecondsMax * 1000
}

function isFresh(handshakeAt: number | null, wallSeconds: number): boolean {
  return handshakeAt !== null && Math.abs(wallSeconds - handshakeAt) <= handshakeFreshSecondsMax
}
