import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  afterProbe,
  firstSequence,
  hearImpostor,
  type Impostor,
  isIdentityInUse,
  mayReply,
  meetImpostor,
  noImpostor,
  outlive,
} from '../../src/mesh/identity.ts'
import type { Endpoint, HostPort } from '../../src/model/address.ts'
import type { Announcement } from '../../src/model/announcement.ts'
import { impostorMilliseconds, impostorRepliesMax, youngSeconds } from '../../src/model/limits.ts'
import type { TwinAnswer } from '../../src/model/neighbour.ts'
import type { NodeName } from '../../src/model/node.ts'
import { announcement, now } from './world.ts'

const here = announcement(1)
const there = announcement(1, { name: 'copy' as NodeName })

describe('an identity', () => {
  it('is in use where another machine proved to have its key, word or no word, until it was long not met', () => {
    const met = meetImpostor(noImpostor, '192.0.2.7:51821' as Endpoint, now)
    expect([met.place, met.yielding]).toEqual(['192.0.2.7:51821', false])
    expect(isIdentityInUse(met, now + impostorMilliseconds - 1)).toBe(true)
    expect(isIdentityInUse(met, now + impostorMilliseconds)).toBe(false)
    const spoken = { ...noImpostor, place: '192.0.2.8:51820' as HostPort }
    expect(meetImpostor(spoken, '192.0.2.7:51821' as Endpoint, now).place).toBe('192.0.2.8:51820')
  })

  it('is not in use for a single word from a former life', () => {
    const impostor = hear(noImpostor, here, there, 7)
    expect(isIdentityInUse(impostor, now)).toBe(false)
    expect(mayReply(impostor, now)).toBe(true)
  })

  it('is in use once somebody outbids us, for two minutes', () => {
    const impostor = hear(hear(noImpostor, here, there, 7), here, there, 8)
    expect(isIdentityInUse(impostor, now)).toBe(true)
    expect(isIdentityInUse(impostor, now + impostorMilliseconds)).toBe(false)
  })

  it('does not change by a copy of what was heard', () => {
    const once = hear(noImpostor, here, there, 7)
    expect(hear(once, here, there, 7)).toBe(once)
    expect(hear(once, here, there, 6)).toBe(once)
  })

  it('is claimed again when the other falls silent or says farewell', () => {
    const yielding = repeat(noImpostor, 5)
    expect(yielding.yielding).toBe(true)
    expect(outlive(yielding, now + impostorMilliseconds - 1)).toBe(yielding)
    expect(outlive(yielding, now + impostorMilliseconds).yielding).toBe(false)
    expect(hear(yielding, here, { ...there, left: true }, 99).yielding).toBe(false)
    expect(hear(yielding, here, here, 99).yielding).toBe(false)
  })

  it('is claimed again when the other answers no more where it answered, and not when it never did', () => {
    const yielding = repeat(noImpostor, 5)
    const probe = (answers: readonly TwinAnswer[]) => answers.reduce(afterProbe, yielding)
    expect(probe(Array(50).fill('silence'))).toBe(yielding)
    expect(probe(['speaks', 'silence', 'silence']).yielding).toBe(true)
    expect(probe(['speaks', 'silence', 'silence', 'speaks', 'silence', 'silence']).yielding).toBe(true)
    expect(probe(['speaks', 'silence', 'silence', 'silence']).yielding).toBe(false)
    expect(afterProbe(noImpostor, 'silence')).toBe(noImpostor)
  })

  it('stays with a machine whose daemon rests: its tunnels carry on', () => {
    const found = afterProbe(repeat(noImpostor, 5), 'speaks')
    expect(Array<TwinAnswer>(50).fill('refusal').reduce(afterProbe, found)).toBe(found)
  })

  it('is talked about without end by nobody, even if both say the same', () => {
    let impostor = noImpostor
    for (let word = 1; word <= impostorRepliesMax; word += 1) impostor = hear(impostor, here, here, word)
    expect(mayReply(impostor, now)).toBe(false)
    expect(mayReply(impostor, now + impostorMilliseconds)).toBe(true)
  })

  it('goes to exactly one of two that outbid each other, to the older one if there is one; both say so', () => {
    fc.assert(
      fc.property(fc.nat(2 * youngSeconds), fc.nat(2 * youngSeconds), (first, second) => {
        const { one, other } = fight(now - first * 1000, now - second * 1000)
        expect([one, other].filter(({ yielding }) => yielding)).toHaveLength(1)
        expect(isIdentityInUse(one, now) && isIdentityInUse(other, now)).toBe(true)
        const isFirstYoung = first < youngSeconds
        if (isFirstYoung !== second < youngSeconds) expect(one.yielding).toBe(isFirstYoung)
      }),
    )
  })

  it('stays with who was there before, however long the two take to settle it', () => {
    const slow = (startedAt: number) => {
      let impostor = noImpostor
      for (const [word, at] of [10, 25, 40].entries())
        impostor = hear(impostor, here, there, word + 1, now + startedAt * 1000, now + at * 1000)
      return impostor.yielding
    }
    expect(slow(0)).toBe(true)
    expect(slow(-3600)).toBe(false)
  })

  it('begins at a number of its own, so that two with one disk do not say different things under one', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), random => {
        expect(firstSequence(7, random).incarnation).toBe(7)
        expect(Number.isSafeInteger(firstSequence(7, random).counter)).toBe(true)
      }),
    )
    expect(firstSequence(7, 0.25)).not.toEqual(firstSequence(7, 0.75))
  })
})

/** Two machines that answer each other's words until one does not. */
function fight(oneSince: number, otherSince: number): { one: Impostor; other: Impostor } {
  let [one, other] = [noImpostor, noImpostor]
  for (let word = 1; !one.yielding && !other.yielding; word += 2) {
    one = hear(one, here, there, word, oneSince)
    if (!one.yielding) other = hear(other, there, here, word + 1, otherSince)
  }
  return { one, other }
}

function repeat(impostor: Impostor, words: number): Impostor {
  let after = impostor
  for (let word = 1; word <= words; word += 1) after = hear(after, here, there, word)
  return after
}

function hear(
  impostor: Impostor,
  own: Announcement,
  said: Announcement,
  incarnation: number,
  startedAt = now,
  at = now,
): Impostor {
  const heard = { ...said, sequence: { incarnation, counter: 0 } }
  return hearImpostor(impostor, heard, own, startedAt, at)
}
