import type { WireguardReading } from '../model/kernel-state.ts'
import type { TunnelTrack } from './liveness.ts'

/** The counters of a peer never shrink: this is another one. */
export function isAnew(
  track: TunnelTrack,
  { receivedBytes, sentBytes, handshakeAt }: WireguardReading,
): boolean {
  if (receivedBytes < track.receivedBytes || sentBytes < track.sentBytes) return true
  return handshakeAt === null && track.handshakeAt !== null
}

/** What was counted by now, kept for the next peer. */
export function historyOf({ receivedBytes, sentBytes, pastReceivedBytes, pastSentBytes }: TunnelTrack) {
  return {
    pastReceivedBytes: pastReceivedBytes + receivedBytes,
    pastSentBytes: pastSentBytes + sentBytes,
  }
}

/** A track that begins anew, with what was counted before. */
export function withHistory(track: TunnelTrack, before: TunnelTrack | undefined): TunnelTrack {
  const isNew = before !== undefined && track.knownSince !== before.knownSince
  return isNew && track.receivedBytes < before.receivedBytes ? { ...track, ...historyOf(before) } : track
}

/** All that ever came and went, by however many peers. */
export function totalBytes(track: TunnelTrack): { readonly received: number; readonly sent: number } {
  return {
    received: track.pastReceivedBytes + track.receivedBytes,
    sent: track.pastSentBytes + track.sentBytes,
  }
}
