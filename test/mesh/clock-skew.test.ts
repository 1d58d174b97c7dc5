import { describe, expect, it } from 'vitest'
import { clockBehindSeconds } from '../../src/mesh/clock-skew.ts'
import { announcement } from '../control/snapshots.ts'

const wallSeconds = 1_700_000_000

function claimedAt(number: number, since: number) {
  return announcement(number, { vtepClaim: { since, pinned: false }, segments: [] })
}

describe('a clock that is behind', () => {
  it('is told by a claim from the future', () => {
    expect(clockBehindSeconds([claimedAt(2, wallSeconds + 3600)], wallSeconds)).toBe(3600)
  })

  it('is not believed of one member among several', () => {
    const one = [claimedAt(2, wallSeconds + 3600), claimedAt(3, wallSeconds - 60)]
    expect(clockBehindSeconds(one, wallSeconds)).toBe(0)
    expect(clockBehindSeconds([...one, claimedAt(4, wallSeconds + 1800)], wallSeconds)).toBe(1800)
  })

  it('is no matter of minutes, nor of nobody', () => {
    expect(clockBehindSeconds([claimedAt(2, wallSeconds + 120)], wallSeconds)).toBe(0)
    expect(clockBehindSeconds([], wallSeconds)).toBe(0)
  })
})
