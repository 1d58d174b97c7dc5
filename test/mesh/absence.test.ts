import { describe, expect, it } from 'vitest'
import {
  dueQuestions,
  isAbsent,
  noteAnswer,
  type PortAnswer,
  suspectedAbsent,
} from '../../src/mesh/absence.ts'
import type { Member } from '../../src/model/member.ts'
import { member, nodeId, now, track } from '../control/snapshots.ts'

const gossip = ['/ip4/203.0.113.2/tcp/51821']
const listening = (number: number, seenSeconds = 4) => member(number, { gossip }, seenSeconds)

function suspects(
  members: readonly Member[],
  { neighbours = [] as number[], lost = [] as number[], up = [2, 3] } = {},
): readonly string[] {
  const tracks = new Map(up.map(each => [track(each).publicKey, track(each)]))
  const found = suspectedAbsent({
    membership: new Map(members.map(each => [each.announcement.node, each])),
    tracks,
    neighbours: new Set(neighbours.map(nodeId)),
    lost: new Set(lost.map(nodeId)),
    answers: new Map(),
    now,
  })
  return found.map(({ announcement }) => announcement.name)
}

describe('whose lnetd may not run', () => {
  it('is who is no neighbour any more, and who is overdue', () => {
    expect(suspects([listening(2), listening(3)])).toEqual([])
    expect(suspects([listening(2), listening(3)], { lost: [2] })).toEqual(['node2'])
    // A heartbeat each 60 s.
    expect(suspects([listening(2, 74), listening(3, 76)])).toEqual(['node3'])
  })

  it('is no neighbour, nobody who left or has no lnetd, and nobody whose tunnel is down', () => {
    expect(suspects([listening(2, 76)], { neighbours: [2] })).toEqual([])
    expect(suspects([member(2, { gossip, left: true })], { lost: [2] })).toEqual([])
    expect(suspects([member(2, { gossip, declaredBy: nodeId(3) }, 76)])).toEqual([])
    expect(suspects([member(2)], { lost: [2] })).toEqual([])
    expect(suspects([listening(2)], { lost: [2], up: [] })).toEqual([])
  })
})

describe('the question', () => {
  const due = (answer: PortAnswer | undefined) =>
    dueQuestions([listening(2)], {
      answers: answer === undefined ? new Map() : new Map([[nodeId(2), answer]]),
      now,
    }).length === 1

  it('is asked at once, soon after a refusal, and each minute from then on', () => {
    expect(due(undefined)).toBe(true)
    expect(due({ askedAt: now - 19_000, refusedSince: now - 19_000 })).toBe(false)
    expect(due({ askedAt: now - 20_000, refusedSince: now - 20_000 })).toBe(true)
    expect(due({ askedAt: now - 20_000, refusedSince: null })).toBe(false)
    expect(due({ askedAt: now - 20_000, refusedSince: now - 60_000 })).toBe(false)
    expect(due({ askedAt: now - 60_000, refusedSince: now - 100_000 })).toBe(true)
  })

  it('is asked of a bounded number at a time', () => {
    const many = Array.from({ length: 40 }, (_, index) => listening(index + 2))
    expect(dueQuestions(many, { answers: new Map(), now })).toHaveLength(8)
  })

  it('shows an absence by refusals in a row, for longer than a restart takes', () => {
    const first = noteAnswer(undefined, true, 1000)
    expect(isAbsent(first)).toBe(false)
    const second = noteAnswer(first, true, 21_000)
    expect(isAbsent(second)).toBe(false)
    expect(isAbsent(noteAnswer(second, true, 41_000))).toBe(true)
    expect(isAbsent(noteAnswer(second, false, 41_000))).toBe(false)
    expect(isAbsent(noteAnswer(noteAnswer(second, false, 41_000), true, 61_000))).toBe(false)
  })
})
