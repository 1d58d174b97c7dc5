import type { Member, Membership } from '../model/member.ts'
import type { NodeId } from '../model/node.ts'
import { tunnelLiveness } from './liveness.ts'
import type { Tracks } from './tracks.ts'

/** What a member's kernel answered about its gossip port, asked through the tunnel. Times are monotonic milliseconds. */
export interface PortAnswer {
  readonly askedAt: number
  /** Since when it refuses; null: it did not refuse the last time. */
  readonly refusedSince: number | null
}

/** What tells a member whose lnetd may not run from the others. */
export interface AbsenceEvidence {
  readonly membership: Membership
  readonly tracks: Tracks
  readonly neighbours: ReadonlySet<NodeId>
  /** Neighbours whose connection ended; none that was a neighbour again, or whose port was open since. */
  readonly lost: ReadonlySet<NodeId>
  readonly answers: ReadonlyMap<NodeId, PortAnswer>
  readonly now: number
}

/** Between two questions: lnetd starts again within seconds, as an upgrade does. */
const askSeconds = 20
/** Between two questions to a member that refuses, or answers: both may last. */
const askAgainSeconds = 60
/** One refusal is a restart; a slow machine may need half a minute for it. */
const refusedSecondsMin = 40
/** Of a heartbeat's time: what is announced later is late on any network. */
const overdueFactor = 1.25
/** Connections at a time: each takes a round trip, or until it is given up. */
const asksMax = 8

/**
 * Members whose lnetd may not run although their tunnels are up: they are no neighbours any more, or their heartbeat is
 * overdue. Those who never had an lnetd are none of them.
 */
export function suspectedAbsent(evidence: AbsenceEvidence): readonly Member[] {
  const { membership, tracks, neighbours, lost, now } = evidence
  return [...membership.values()].filter(member => {
    const { node, publicKey, declaredBy, left, gossip } = member.announcement
    if (left || declaredBy !== null || gossip.length === 0 || neighbours.has(node)) return false
    const track = tracks.get(publicKey)
    if (track === undefined || tunnelLiveness(track, now) !== 'up') return false
    return lost.has(node) || isOverdue(member, now)
  })
}

/** Of those, the ones to ask now, a bounded number of them. */
export function dueQuestions(
  suspected: readonly Member[],
  { answers, now }: Pick<AbsenceEvidence, 'answers' | 'now'>,
): readonly Member[] {
  return suspected
    .filter(({ announcement: { node } }) => {
      const answer = answers.get(node)
      return answer === undefined || now - answer.askedAt >= pauseSeconds(answer) * 1000
    })
    .slice(0, asksMax)
}

/** The next answer joins what is known. */
export function noteAnswer(known: PortAnswer | undefined, refused: boolean, askedAt: number): PortAnswer {
  return { askedAt, refusedSince: refused ? (known?.refusedSince ?? askedAt) : null }
}

/** Nothing has listened there for longer than a restart takes. */
export function isAbsent({ askedAt, refusedSince }: PortAnswer): boolean {
  return refusedSince !== null && askedAt - refusedSince >= refusedSecondsMin * 1000
}

function pauseSeconds(answer: PortAnswer): number {
  return answer.refusedSince === null || isAbsent(answer) ? askAgainSeconds : askSeconds
}

function isOverdue({ announcement, heardAt }: Member, now: number): boolean {
  return now - heardAt > announcement.heartbeatSeconds * overdueFactor * 1000
}
