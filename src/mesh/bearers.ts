import type { Member } from '../model/member.ts'
import { type MemberReference, refersTo } from '../model/member-reference.ts'
import type { Evidence } from './evidence.ts'

/**
 * Whom a reference may mean: proven members of that name, and of several those that live. More than one, and it means
 * nobody: which of them the operator meant, only the operator knows.
 */
export function bearersOf(
  reference: MemberReference,
  members: Iterable<Member>,
  evidence: Evidence,
): readonly Member[] {
  const bearers = [...members].filter(
    member =>
      !member.announcement.left && refersTo(reference, member.announcement) && evidence.isProven(member),
  )
  const live = bearers.filter(member => evidence.isLive(member))
  return live.length > 0 ? live : bearers
}

/** The one member a reference means; null when there is none, or more than one. */
export function bearerOf(
  reference: MemberReference,
  members: Iterable<Member>,
  evidence: Evidence,
): Member | null {
  const [only, ...more] = bearersOf(reference, members, evidence)
  return only === undefined || more.length > 0 ? null : only
}
