import { describe, expect, it } from 'vitest'
import { Guests } from '../../src/mesh/guests.ts'
import { admit, type Heard } from '../../src/mesh/membership.ts'
import type { Announcement } from '../../src/model/announcement.ts'
import {
  newcomersBurst,
  newcomersPerMinute,
  unprovenPerAddressMax,
  unprovenPerKeyMax,
} from '../../src/model/limits.ts'
import type { Membership } from '../../src/model/member.ts'
import { announcement, candidate, member, membership, nodeId, now, proofs, publicKey } from './world.ts'

const accept = { kind: 'accept' }
const full = { kind: 'ignore', reason: 'full' }

function heard(number: number, changes: Partial<Announcement> = {}, ageMilliseconds = 0): Heard {
  return { announcement: announcement(number, changes), envelope: new Uint8Array(), ageMilliseconds }
}

/** A node that hears things one after the other, by one neighbour unless it says otherwise. */
function listener(known: Membership = new Map(), proven: Membership = known) {
  const guests = new Guests()
  let members = known
  return {
    hear(items: readonly Heard[], at = now, introducer = nodeId(1000)) {
      const gate = { guests, proofs: proofs(...proven.values()), introducer }
      const { membership: next, verdicts } = admit(members, items, nodeId(1), at, undefined, gate)
      members = next
      return verdicts
    },
    has: (number: number) => members.has(nodeId(number)),
    get size() {
      return members.size
    },
  }
}

const range = (count: number, from: number) => Array.from({ length: count }, (_, index) => from + index)

describe('newcomers', () => {
  it('by one neighbour are taken as many as a mesh may have, and then a few a minute', () => {
    const node = listener()
    const items = range(newcomersBurst + 10, 2000).map(number => heard(number))
    expect(node.hear(items).filter(({ kind }) => kind === 'accept')).toHaveLength(newcomersBurst)
    expect(node.hear([heard(9001)], now + 1)).toEqual([full])
    const later = range(newcomersPerMinute + 10, 10_000).map(number => heard(number))
    expect(node.hear(later, now + 60_000).filter(({ kind }) => kind === 'accept')).toHaveLength(
      newcomersPerMinute,
    )
  })

  it('that come themselves, or by another neighbour, are taken nevertheless', () => {
    const node = listener()
    node.hear(range(newcomersBurst + 10, 2000).map(number => heard(number)))
    expect(node.hear([heard(5)], now, nodeId(5))).toEqual([accept])
    expect(node.hear([heard(6)], now, nodeId(7))).toEqual([accept])
  })

  it('at one address are so many, and a machine that speaks drives out who had its time', () => {
    const node = listener()
    const there = { endpoints: [candidate('198.51.100.66:1')] }
    const verdicts = node.hear(range(unprovenPerAddressMax + 5, 2000).map(number => heard(number, there)))
    expect(verdicts.filter(({ kind }) => kind === 'accept')).toHaveLength(unprovenPerAddressMax)
    expect(node.hear([heard(5, there, 120_000)], now + 120_000)).toEqual([full])
    expect(node.hear([heard(5, there)], now + 120_000)).toEqual([accept])
    expect(node.size).toBe(unprovenPerAddressMax)
    expect(node.has(5)).toBe(true)
  })

  it('with one key are few, and its proven holder is not one of them', () => {
    const victim = member(2)
    const node = listener(membership(victim))
    const stolen = { publicKey: publicKey(2), endpoints: [] }
    const verdicts = node.hear(range(20, 2000).map(number => heard(number, stolen)))
    expect(verdicts.filter(({ kind }) => kind === 'accept')).toHaveLength(unprovenPerKeyMax)
    expect(node.has(2)).toBe(true)
    node.hear([heard(3000)])
    const changed = heard(3000, { ...stolen, sequence: { incarnation: 2, counter: 1 } })
    expect(node.hear([changed], now + 2000)).toEqual([full])
  })

  it('find room in a full membership, where nobody proven has to go', () => {
    const fakes = membership(...range(20_000 - 1, 3000).map(number => member(number)))
    const all = new Map([...membership(member(2)), ...fakes])
    const node = listener(all, membership(member(2)))
    node.hear([heard(2, { sequence: { incarnation: 2, counter: 1 } })])
    expect(node.hear([heard(5)], now + 61_000)).toEqual([accept])
    expect(node.size).toBe(20_000)
    expect([node.has(5), node.has(2)]).toEqual([true, true])
  })
})
