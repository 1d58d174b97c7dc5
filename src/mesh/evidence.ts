import { handshakeFreshSecondsMax, heartbeatsMissedMax } from '../model/limits.ts'
import type { Member } from '../model/member.ts'
import type { NodeId } from '../model/node.ts'
import { heartbeatSeconds } from './compose.ts'
import type { TunnelTrack } from './liveness.ts'
import { isProven, type Proofs } from './proof.ts'
import { isUnanswered } from './suspicion.ts'
import type { Tracks } from './tracks.ts'

/** What this node itself saw of members, whatever they say. */
export interface Evidence {
  /** WireGuard completed a handshake with it, now or before. */
  isProven(member: Member): boolean
  /** Somebody is there, proven or not. */
  isThere(member: Member): boolean
  /** It answers now, and is proven: its tunnel was heard lately, or its node spoke as often as nodes of such a mesh do. */
  isLive(member: Member): boolean
}

export interface Sightings {
  readonly tracks: Tracks
  readonly proofs: Proofs
  /** Who did not answer gossip when asked, and when. */
  readonly unanswered: ReadonlyMap<NodeId, number>
  /** Our own heartbeat, as configured. */
  readonly heartbeatSeconds: number
  readonly members: number
  /** Monotonic milliseconds. */
  readonly now: number
}

export function evidenceOf(sightings: Sightings): Evidence {
  const { proofs } = sightings
  return {
    isProven: member => isProven(member, proofs),
    isThere: member => isThere(member, sightings),
    isLive: member => isProven(member, proofs) && isThere(member, sightings),
  }
}

/**
 * Whether anybody is there: WireGuard heard the key lately, or the node spoke. Who promises to speak once a day is not
 * there for days after its last word.
 */
export function isThere(
  { announcement, heardAt }: Member,
  { tracks, unanswered, members, now, ...own }: Omit<Sightings, 'proofs'>,
): boolean {
  if (announcement.left) return false
  const track = tracks.get(announcement.publicKey)
  if (isHeard(track, now)) return true
  if (announcement.declaredBy !== null) return false
  if (isUnanswered(unanswered.get(announcement.node), heardAt, track)) return false
  const expectedSeconds = heartbeatSeconds(own.heartbeatSeconds, members)
  const seconds = Math.min(announcement.heartbeatSeconds, expectedSeconds) * heartbeatsMissedMax
  return now - heardAt <= seconds * 1000
}

function isHeard(track: TunnelTrack | undefined, now: number): boolean {
  const grewAt = track?.grewAt ?? null
  return grewAt !== null && now - grewAt <= handshakeFreshSecondsMax * 1000
}
