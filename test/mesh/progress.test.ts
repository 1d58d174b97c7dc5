import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { beginProgress, lookAtProgress, standstillOf, type Works } from '../../src/mesh/progress.ts'
import { progressLookSeconds, standstillSecondsMax } from '../../src/model/limits.ts'

const tick = progressLookSeconds * 1000
const hour = 3_600_000

describe('a standstill', () => {
  it('is a kernel that is not looked at', () => {
    const sentences = looks(60, () => ({ reconcile: { done: 3, due: true }, gossip: idle }))
    expect(firstAt(sentences)).toBe(standstillSecondsMax.reconcile)
    expect(sentences.at(-1)).toMatch(/kernel was not looked at/)
  })

  it('is neighbours that connect and say nothing', () => {
    const sentences = looks(60, n => ({ reconcile: going(n), gossip: { done: 0, due: true } }))
    expect(firstAt(sentences)).toBe(standstillSecondsMax.gossip)
    expect(sentences.at(-1)).toMatch(/not one of them could be talked to/)
  })

  it('is not a node that is alone', () => {
    expect(firstAt(looks(1000, n => ({ reconcile: going(n), gossip: idle })))).toBeNull()
  })

  it('is told however rarely the silent neighbours connect', () => {
    const sentences = looks(200, n => ({ reconcile: going(n), gossip: { done: 7, due: n % 5 === 0 } }))
    expect(firstAt(sentences)).toBe(standstillSecondsMax.gossip * 5)
  })

  it('is not the time in which the process did not run', () => {
    const works: Works = { reconcile: { done: 1, due: true }, gossip: { done: 1, due: true } }
    const resumed = lookAtProgress(beginProgress(works, 0), works, 10 * hour)
    expect(standstillOf(resumed)).toBeNull()
    expect(standstillOf(lookAtProgress(resumed, works, 10 * hour + tick))).toBeNull()
  })

  it('never comes while something is finished in time, whatever the clock does', () => {
    const gap = fc.integer({ min: 0, max: 10 * hour })
    fc.assert(
      fc.property(fc.array(gap, { maxLength: 100 }), gaps => {
        let now = 0
        let progress = beginProgress({ reconcile: going(0), gossip: going(0) }, now)
        gaps.forEach((elapsed, n) => {
          now += elapsed
          // Every second look finds something new: two ticks are far from the bound.
          const done = going(Math.ceil(n / 2))
          progress = lookAtProgress(progress, { reconcile: done, gossip: done }, now)
          expect(standstillOf(progress)).toBeNull()
        })
      }),
    )
  })
})

const idle = { done: 0, due: false }

function going(done: number) {
  return { done, due: true }
}

/** What is said at each look, one every tick. */
function looks(count: number, works: (n: number) => Works): (string | null)[] {
  let progress = beginProgress(works(0), 0)
  return Array.from({ length: count }, (_, index) => {
    progress = lookAtProgress(progress, works(index + 1), (index + 1) * tick)
    return standstillOf(progress)
  })
}

/** When it was first said, seconds. */
function firstAt(sentences: readonly (string | null)[]): number | null {
  const index = sentences.findIndex(sentence => sentence !== null)
  return index < 0 ? null : (index + 1) * progressLookSeconds
}
