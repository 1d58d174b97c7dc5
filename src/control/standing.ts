import type { TunnelTrack } from '../mesh/liveness.ts'
import { standingOf } from '../mesh/membership.ts'
import { isHearsay, isUnanswered } from '../mesh/suspicion.ts'
import type { Member, Standing } from '../model/member.ts'
import type { Snapshot } from './snapshot.ts'

/**
 * Long before four heartbeats are missed, a member that was asked and did not answer is called silent; and so is one
 * of which nothing came but a copy of what it said once, or on whose machine no lnetd runs.
 */
export function standingNow(
  member: Member,
  track: TunnelTrack | null,
  { unanswered, absent, now }: Snapshot,
): Standing {
  const standing = standingOf(member, now)
  const askedAt = unanswered.get(member.announcement.node)
  const isMissing =
    absent.has(member.announcement.node) ||
    isUnanswered(askedAt, member.heardAt, track) ||
    isHearsay(member, track, now)
  return standing === 'live' && isMissing ? 'silent' : standing
}
