import { handshakeFreshSecondsMax, heartbeatsMissedMax } from '../model/limits.ts'
import type { Member } from '../model/member.ts'
import { heartbeatSeconds } from './compose.ts'
import type { TunnelTrack } from './liveness.ts'
import { isProven, type Proofs } from './proof.ts'
import type { Tracks } from './tracks.ts'

/** What this node itself saw of members, whatever they say. */
export interface Evidence {
  /** WireGuard completed a handshake with it, now or before. */
  isProven(member: Member): boolean
  /** It answers now: its tunnel was heard lately, or its node spoke as often as nodes of such a mesh do. */
  isLive(member: Member): boolean
}

export interface Sightings {
  readonly tracks: Tracks
  readonly proofs: Proofs
  /** Our own heartbeat, as configured. */
  readonly heartbeatSeconds: number
  readonly members: number
  /** Monotonic milliseconds. */
  readonly now: number
}

export function evidenceOf({ tracks, proofs, members, now, ...own }: Sightings): Evidence {
  // Who promises to speak once a day is not live for days after its last word.
  const expectedSeconds = heartbeatSeconds(own.heartbeatSeconds, members)
  return {
    isProven: member => isProven(member, proofs),
    isLive(member) {
      const { announcement, heardAt } = member
      if (announcement.left || !isProven(member, proofs)) return false
      if (isHeard(tracks.get(announcement.publicKey), now)) return true
      if (announcement.declaredBy !== null) return false
      const seconds = Math.min(announcement.heartbeatSeconds, expectedSeconds) * heartbeatsMissedMax
      return now - heardAt <= seconds * 1000
    },
  }
}

function isHeard(track: TunnelTrack | undefined, now: number): boolean {
  const grewAt = track?.grewAt ?? null
  return grewAt !== null && now - grewAt <= handshakeFreshSecondsMax * 1000
}
