import type { Announcement, Envelope, Verdict } from '../model/announcement.ts'
import {
  catchUpSeconds,
  declarationsPerMemberMax,
  forgetAfterSecondsDefault,
  heartbeatsMissedMax,
  layeredMembersMin,
  membersMax,
} from '../model/limits.ts'
import type { Member, Membership, Standing } from '../model/member.ts'
import { compareSequence, type NodeId } from '../model/node.ts'
import { DeclarationCount } from './declaration-count.ts'
import type { Arrival, Guests, Welcome } from './guests.ts'
import { LayeredMap } from './layered-map.ts'
import type { Proofs } from './proof.ts'

/** A verified announcement, and how long ago its author's sequence advanced: 0 when it was just spoken. */
export interface Heard {
  readonly announcement: Announcement
  readonly envelope: Envelope
  readonly ageMilliseconds: number
  /** From this node's own memory, not from others. */
  readonly remembered?: true
}

export interface Admission {
  readonly membership: Membership
  /** One for each of what was heard, in its order. */
  readonly verdicts: readonly Verdict[]
}

const accept: Verdict = { kind: 'accept' }
const own: Verdict = { kind: 'ignore', reason: 'own' }
const full: Verdict = { kind: 'ignore', reason: 'full' }

/** What a newcomer is judged by. */
export interface Gate {
  readonly guests: Guests
  readonly proofs: Proofs
  /** The neighbour that tells; null: our own disk. */
  readonly introducer: NodeId | null
}

/**
 * Takes what is newer by its author's own sequence. An equal sequence changes nothing, not even the age: so no
 * copy makes a dead member look alive, and no liar makes a live one look dead.
 */
export function admit(
  membership: Membership,
  heard: readonly Heard[],
  self: NodeId,
  now: number,
  forgetAfterSeconds: number = forgetAfterSecondsDefault,
  gate: Gate | null = null,
): Admission {
  const leaving = new Set<NodeId>()
  gate?.guests.count(membership, gate.proofs, now)
  const news = new Map<NodeId, Member>()
  let newcomers = 0
  const declared = new DeclarationCount(membership)
  const verdicts = heard.map(item => {
    const { announcement, envelope, ageMilliseconds } = item
    const known = news.get(announcement.node) ?? membership.get(announcement.node)
    const members = membership.size + newcomers - leaving.size
    const verdict =
      item.announcement.node === self ? own : judge(known, members, declared, item, forgetAfterSeconds, gate)
    if (verdict !== accept) return verdict
    const asked = { announcement, ageMilliseconds, members, now }
    const gone = gate === null ? [] : admitBy(gate, known, asked)
    if (gone === null) return full
    for (const node of gone) leaving.add(node)
    if (known === undefined) {
      newcomers += 1
      declared.add(announcement.declaredBy)
    }
    const heardAt = heardSince(known, ageMilliseconds, now)
    news.set(announcement.node, { announcement, envelope, heardAt, ...doubtOf(known, item, now) })
    return verdict
  })
  for (const node of leaving) news.delete(node)
  const kept =
    leaving.size === 0 ? membership : new Map([...membership].filter(([node]) => !leaving.has(node)))
  return { membership: news.size === 0 ? kept : withNews(kept, news), verdicts }
}

function admitBy(
  { guests, introducer }: Gate,
  known: Member | undefined,
  asked: Omit<Arrival, 'introducer'>,
): Welcome {
  const { announcement } = asked
  if (known === undefined) return guests.welcome({ ...asked, introducer })
  const isSameKey = known.announcement.publicKey === announcement.publicKey
  return isSameKey || guests.mayTakeKey(announcement) ? [] : null
}

/** These gave a sign of life of their own; the same value where that is no news. */
export function confirm(membership: Membership, nodes: readonly NodeId[]): Membership {
  const news = new Map<NodeId, Member>()
  for (const node of nodes) {
    const member = membership.get(node)
    if (member?.unconfirmedSince === undefined) continue
    const { unconfirmedSince: _, ...confirmed } = member
    news.set(node, confirmed)
  }
  return news.size === 0 ? membership : withNews(membership, news)
}

/**
 * Without those whose sequence stood still for longer than `forgetAfterSeconds`, and than it may when they live; the
 * same value when there are none.
 */
export function forget(
  membership: Membership,
  now: number,
  forgetAfterSeconds: number = forgetAfterSecondsDefault,
): Membership {
  const kept = [...membership].filter(
    ([, { announcement, heardAt }]) => !isForgotten(announcement, now - heardAt, forgetAfterSeconds),
  )
  return kept.length === membership.size ? membership : new Map(kept)
}

/**
 * Silent after so many heartbeats by the author's own word on how often it speaks. Who cannot speak is never silent: a
 * static member stays until it is taken back, or forgotten.
 */
export function standingOf(member: Member, now: number): Standing {
  if (member.announcement.left) return 'left'
  if (member.announcement.declaredBy !== null) return 'live'
  return now - member.heardAt > silentAfterSeconds(member.announcement) * 1000 ? 'silent' : 'live'
}

/** Members in the order of their ids, the same on every node. */
export function sortedMembers(membership: Membership): readonly Member[] {
  return [...membership.values()].sort((a, b) => (a.announcement.node < b.announcement.node ? -1 : 1))
}

function withNews(membership: Membership, news: ReadonlyMap<NodeId, Member>): Membership {
  return membership.size < layeredMembersMin
    ? new Map([...membership, ...news])
    : LayeredMap.with(membership, news)
}

/** A newer word was not spoken before an older one was heard: so no copy, whatever its age, makes a member older. */
function heardSince(known: Member | undefined, ageMilliseconds: number, now: number): number {
  return Math.max(known?.heardAt ?? Number.NEGATIVE_INFINITY, now - Math.max(0, ageMilliseconds))
}

/**
 * Whether it lives is not known of one that is new here, or was silent: what came may be its last announcement, said
 * again. Within seconds a newcomer knows all that its neighbours know: a sequence that advances later is spoken now.
 */
function doubtOf(
  known: Member | undefined,
  { remembered }: Heard,
  now: number,
): Pick<Member, 'unconfirmedSince'> {
  if (remembered === true) return {}
  if (known === undefined || standingOf(known, now) !== 'live') return { unconfirmedSince: now }
  const { unconfirmedSince } = known
  if (unconfirmedSince === undefined || now - unconfirmedSince >= catchUpSeconds * 1000) return {}
  return { unconfirmedSince }
}

/** In a large mesh heartbeats are hours apart: nobody is forgotten who was not silent. */
function isForgotten(
  announcement: Announcement,
  ageMilliseconds: number,
  forgetAfterSeconds: number,
): boolean {
  const silentAfter = announcement.left ? 0 : silentAfterSeconds(announcement)
  return ageMilliseconds > Math.max(forgetAfterSeconds, silentAfter) * 1000
}

function silentAfterSeconds({ heartbeatSeconds }: Announcement): number {
  return heartbeatSeconds * heartbeatsMissedMax
}

function judge(
  known: Member | undefined,
  members: number,
  declared: DeclarationCount,
  { announcement, ageMilliseconds }: Heard,
  forgetAfterSeconds: number,
  gate: Gate | null,
): Verdict {
  if (known === undefined) {
    if (isForgotten(announcement, ageMilliseconds, forgetAfterSeconds))
      return { kind: 'ignore', reason: 'expired' }
    if (declared.of(announcement.declaredBy) >= declarationsPerMemberMax) return full
    // The gate lets somebody in for somebody else.
    return members < membersMax || gate !== null ? accept : full
  }
  const order = compareSequence(announcement.sequence, known.announcement.sequence)
  if (order > 0) return accept
  return { kind: 'ignore', reason: order === 0 ? 'known' : 'old-sequence' }
}
