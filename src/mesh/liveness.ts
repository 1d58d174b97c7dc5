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
  /** When we last set the endpoint or made the peer; roaming does not count. */
  readonly endpointSetAt: number
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

/** A look at a peer joins what is known of it. */
export function observeTunnel(
  track: TunnelTrack | undefined,
  reading: WireguardReading,
  now: number,
  wallSeconds: number,
): TunnelTrack {
  const { publicKey, endpoint, handshakeAt, receivedBytes, sentBytes } = reading
  if (track === undefined) return adoptTunnel(reading, now, wallSeconds)
  const grew = receivedBytes > track.receivedBytes
  const grewAt = grew ? now : track.grewAt
  const tried = grew ? [] : track.tried
  return {
    publicKey,
    endpoint,
    endpointSetAt: track.endpointSetAt,
    tried,
    renewals: track.renewals,
    receivedBytes,
    sentBytes,
    grewAt,
    handshakeAt,
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
  return now - (track.grewAt ?? track.endpointSetAt) > handshakeFreshSecondsMax * 1000
}

/** A peer found in the kernel by a daemon that just started: a fresh handshake counts as life. */
function adoptTunnel(reading: WireguardReading, now: number, wallSeconds: number): TunnelTrack {
  const { publicKey, endpoint, handshakeAt, receivedBytes, sentBytes } = reading
  const age = handshakeAt === null ? Number.POSITIVE_INFINITY : Math.abs(wallSeconds - handshakeAt)
  const grewAt = age <= handshakeFreshSecondsMax ? now : null
  return {
    publicKey,
    endpoint,
    endpointSetAt: now,
    tried: [],
    renewals: 0,
    receivedBytes,
    sentBytes,
    grewAt,
    handshakeAt,
  }
}
