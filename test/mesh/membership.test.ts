import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { admit, confirm, forget, type Heard, sortedMembers, standingOf } from '../../src/mesh/membership.ts'
import type { Announcement } from '../../src/model/announcement.ts'
import { declarationsPerMemberMax, forgetAfterSecondsDefault, membersMax } from '../../src/model/limits.ts'
import type { Membership } from '../../src/model/member.ts'
import type { NodeId } from '../../src/model/node.ts'
import { announcement, member, membership, nodeId, now, sure } from './world.ts'

const self = nodeId(0)
const nobody: Membership = new Map()

describe('admit', () => {
  it.each<[string, Heard, object]>([
    ['a newcomer', heard(2, 1), { kind: 'accept' }],
    ['a newer word', heard(1, 6), { kind: 'accept' }],
    ['a word of a later life', heard(1, 0, { incarnation: 2 }), { kind: 'accept' }],
    ['the same word', heard(1, 5), { kind: 'ignore', reason: 'known' }],
    ['an older word', heard(1, 4), { kind: 'ignore', reason: 'old-sequence' }],
    ['a word of a former life', heard(1, 99, { incarnation: 0 }), { kind: 'ignore', reason: 'old-sequence' }],
    ['our own words', heard(0, 99), { kind: 'ignore', reason: 'own' }],
    [
      'who was long forgotten',
      heard(2, 1, { age: forgetAfterSecondsDefault * 1000 + 1 }),
      { kind: 'ignore', reason: 'expired' },
    ],
    ['a farewell', heard(1, 6, { left: true }), { kind: 'accept' }],
  ])('judges %s', (_, item, verdict) => {
    const known = admit(nobody, [heard(1, 5)], self, now).membership
    const { membership: next, verdicts } = admit(known, [item], self, now)
    expect(verdicts).toEqual([verdict])
    if (verdicts[0]?.kind === 'accept')
      expect(next.get(item.announcement.node)?.announcement).toBe(item.announcement)
    else expect(next).toBe(known)
  })

  it('takes no more declarations of one node than it may make, whoever else declares', () => {
    const many = Array.from({ length: declarationsPerMemberMax + 2 }, (_, index) =>
      heard(index + 10, 1, { declaredBy: nodeId(1) }),
    )
    const first = admit(nobody, many.slice(0, 5), self, now).membership
    const { membership: next, verdicts } = admit(first, many, self, now)
    expect(next.size).toBe(declarationsPerMemberMax)
    expect(verdicts.slice(-2)).toEqual(Array(2).fill({ kind: 'ignore', reason: 'full' }))
    const others = [
      heard(2, 1),
      heard(3, 1, { declaredBy: nodeId(2) }),
      heard(10, 2, { declaredBy: nodeId(1) }),
    ]
    expect(admit(next, others, self, now).verdicts).toEqual(Array(3).fill({ kind: 'accept' }))
  })

  it('takes no more than its bound', () => {
    const full: Membership = new Map(
      Array.from({ length: membersMax }, (_, index) => [`${index}` as NodeId, member(1)]),
    )
    expect(admit(full, [heard(2, 1)], self, now).verdicts).toEqual([{ kind: 'ignore', reason: 'full' }])
  })

  it('gives the same set in whatever order, grouping and number', () => {
    const words = fc.array(
      fc.record({
        number: fc.integer({ min: 0, max: 4 }),
        counter: fc.integer({ min: 0, max: 4 }),
        incarnation: fc.integer({ min: 0, max: 2 }),
      }),
      { maxLength: 12 },
    )
    const cuts = fc.array(fc.nat({ max: 12 }), { maxLength: 4 })
    fc.assert(
      fc.property(
        words,
        fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
        cuts,
        (list, keys, at) => {
          const items = list.map(({ number, counter, incarnation }) =>
            heard(number, counter, { incarnation }),
          )
          const shuffled = [...items, ...items.slice(0, 3)].map(item => ({
            item,
            key: sure(keys.next().value),
          }))
          const other = shuffled.sort((a, b) => a.key - b.key).map(({ item }) => item)
          const pieces = [0, ...at.toSorted((a, b) => a - b), other.length].map((from, index, all) =>
            other.slice(from, all[index + 1]),
          )
          const apart = pieces.reduce((known, piece) => admit(known, piece, self, now).membership, nobody)
          expect(sequences(apart)).toEqual(sequences(admit(nobody, items, self, now).membership))
        },
      ),
    )
  })

  it('ages a member by its own word alone', () => {
    const fresh = admit(nobody, [heard(1, 5, { age: 1000 })], self, now).membership
    expect(fresh.get(nodeId(1))?.heardAt).toBe(now - 1000)
    const copied = admit(fresh, [heard(1, 5), heard(1, 5, { age: 60_000 })], self, now + 50_000).membership
    expect(copied.get(nodeId(1))?.heardAt).toBe(now - 1000)
  })

  it('lets no copy make a member older than it is known to be, or younger than now', () => {
    const fresh = admit(nobody, [heard(1, 5)], self, now).membership
    const liedTo = admit(fresh, [heard(1, 6, { age: 86_400_000 })], self, now + 1000).membership
    expect(liedTo.get(nodeId(1))?.heardAt).toBe(now)
    const early = admit(nobody, [heard(1, 5, { age: -5000 })], self, now).membership
    expect(early.get(nodeId(1))?.heardAt).toBe(now)
  })
})

describe('standing', () => {
  it.each<[string, number, Partial<Announcement>, string]>([
    ['just heard', 0, {}, 'live'],
    ['after four heartbeats', 240, {}, 'live'],
    ['a moment later', 240.001, {}, 'silent'],
    ['by its own word on when it speaks', 3600, { heartbeatSeconds: 900 }, 'live'],
    ['having left', 0, { left: true }, 'left'],
    ['having left long ago', 86_400, { left: true }, 'left'],
  ])('%s', (_, seconds, changes, expected) => {
    expect(standingOf(member(1, changes, seconds), now)).toBe(expected)
  })
})

describe('forget', () => {
  it('drops who stood still too long, and is the same value when nobody did', () => {
    const known = membership(member(1, {}, 10), member(2, {}, 300))
    expect(forget(known, now)).toBe(known)
    expect([...forget(known, now, 250).keys()]).toEqual([nodeId(1)])
    expect(forget(known, now + forgetAfterSecondsDefault * 1000 - 15_000).size).toBe(1)
  })

  it('drops nobody who was not silent, however seldom it speaks', () => {
    const seldom = { heartbeatSeconds: 7200 }
    const known = membership(member(1, seldom, 8 * 3600), member(2, seldom, 8 * 3600 + 1))
    expect([...forget(known, now, 3600).keys()]).toEqual([nodeId(1)])
    const left = membership(member(1, { ...seldom, left: true }, 3601))
    expect(forget(left, now, 3600).size).toBe(0)
  })

  it('agrees with what is taken of others', () => {
    const taken = (age: number) =>
      admit(nobody, [heard(1, 1, { age, heartbeatSeconds: 7200 })], self, now, 3600).membership.size
    expect(taken(8 * 3_600_000)).toBe(1)
    expect(taken(8 * 3_600_000 + 1)).toBe(0)
  })
})

describe('sorted members', () => {
  it('come in the order of their ids', () => {
    const known = membership(member(3), member(1), member(2))
    expect(sortedMembers(known).map(each => each.announcement.name)).toEqual(['node1', 'node2', 'node3'])
  })
})

describe('a member that is known by copies alone', () => {
  const second = 1000
  const first = admit(nobody, [heard(1, 5)], self, now).membership
  const since = (known: Membership, number = 1) => known.get(nodeId(number))?.unconfirmedSince

  it('is one that is new here, or was silent or gone', () => {
    expect(since(first)).toBe(now)
    const confirmed = confirm(first, [nodeId(1)])
    expect(since(confirmed)).toBeUndefined()
    expect(confirm(confirmed, [nodeId(1), nodeId(2)])).toBe(confirmed)
    const later = now + 5 * 60 * second
    expect(since(admit(confirmed, [heard(1, 6)], self, now + second).membership)).toBeUndefined()
    expect(since(admit(confirmed, [heard(1, 6)], self, later).membership)).toBe(later)
    const gone = admit(confirmed, [heard(1, 6, { left: true })], self, now + second).membership
    expect(since(admit(gone, [heard(1, 7)], self, later).membership)).toBe(later)
  })

  it('is none that this node remembers', () => {
    const known = admit(nobody, [{ ...heard(1, 5), remembered: true }], self, now).membership
    expect(since(known)).toBeUndefined()
  })

  it('is none any more when its sequence advances, but not while all copies are still coming in', () => {
    const soon = admit(first, [heard(1, 6)], self, now + 9 * second).membership
    expect(since(soon)).toBe(now)
    expect(since(admit(soon, [heard(1, 6)], self, now + 60 * second).membership)).toBe(now)
    expect(since(admit(soon, [heard(1, 7)], self, now + 60 * second).membership)).toBeUndefined()
  })
})

function heard(
  number: number,
  counter: number,
  {
    incarnation = 1,
    age = 0,
    left = false,
    declaredBy = null,
    heartbeatSeconds = 60,
  }: {
    incarnation?: number
    age?: number
    left?: boolean
    declaredBy?: NodeId | null
    heartbeatSeconds?: number
  } = {},
): Heard {
  return {
    announcement: announcement(number, {
      sequence: { incarnation, counter },
      left,
      declaredBy,
      heartbeatSeconds,
    }),
    envelope: new Uint8Array(),
    ageMilliseconds: age,
  }
}

function sequences(known: Membership) {
  return new Map(Array.from(known, ([node, each]) => [node, each.announcement.sequence]))
}
