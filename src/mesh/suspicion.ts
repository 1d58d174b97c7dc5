import { hearsaySeconds, proofMilliseconds, suspectSeconds } from '../model/limits.ts'
import type { Member } from '../model/member.ts'
import { type TunnelTrack, tunnelLiveness } from './liveness.ts'

/** It was up, and should have been heard from by now: a word through the tunnel brings a sign of life, if there is any. */
export function isSuspect(track: TunnelTrack, now: number): boolean {
  return tunnelLiveness(track, now) === 'up' && now >= suspectAt(track)
}

/** When a tunnel that stays silent becomes suspect; infinity where it is already, or is not up. */
export function suspectDueAt(track: TunnelTrack, now: number): number {
  const dueAt = suspectAt(track)
  return dueAt > now ? dueAt : Number.POSITIVE_INFINITY
}

function suspectAt({ grewAt }: TunnelTrack): number {
  return grewAt === null ? Number.POSITIVE_INFINITY : grewAt + suspectSeconds * 1000
}

/**
 * It was asked by gossip, and gave no sign of life since: neither a word nor anything through the tunnel. Times are
 * monotonic milliseconds; `askedAt` is undefined where it was not asked or did answer.
 */
export function isUnanswered(
  askedAt: number | undefined,
  heardAt: number,
  track: TunnelTrack | null | undefined,
): boolean {
  return askedAt !== undefined && askedAt > Math.max(heardAt, track?.grewAt ?? Number.NEGATIVE_INFINITY)
}

/**
 * For so long it has been known by copies alone: nothing says that it lives. It stays in the kernel all the same, as long
 * as the two witnesses allow. Who cannot speak for itself is nobody's hearsay.
 */
export function isHearsay(
  { announcement, unconfirmedSince }: Member,
  track: TunnelTrack | null | undefined,
  now: number,
  seconds: number = hearsaySeconds,
): boolean {
  if (unconfirmedSince === undefined || announcement.declaredBy !== null) return false
  return now - unconfirmedSince > seconds * 1000 && !hasSpokenSince(track, unconfirmedSince)
}

/** Something came through the tunnel since. */
export function hasSpokenSince(track: TunnelTrack | null | undefined, since: number): boolean {
  return (track?.grewAt ?? Number.NEGATIVE_INFINITY) >= since
}

/** What was said through a tunnel to a suspect, when, and when it was heard last by then. Monotonic milliseconds. */
export interface SpokenWord {
  readonly at: number
  readonly grewAt: number
}

/** It did not answer a word in the time that takes. */
export function isMute(track: TunnelTrack, word: SpokenWord, now: number): boolean {
  return track.grewAt === word.grewAt && now - word.at >= proofMilliseconds
}
