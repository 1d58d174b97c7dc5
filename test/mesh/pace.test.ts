import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Pace, retryAfter, takeRound, verifyAfter } from '../../src/mesh/pace.ts'
import type { InterfaceName, IpAddress } from '../../src/model/address.ts'
import {
  retryMillisecondsMax,
  retryMillisecondsMin,
  roundSpacingMilliseconds,
  roundsAtOnceMax,
  verifyMilliseconds,
} from '../../src/model/limits.ts'
import type { Step } from '../../src/model/step.ts'

describe('the pace of rounds', () => {
  it('lets a single change through at once, and several in a row', () => {
    let pace: Pace | null = null
    for (let round = 0; round < roundsAtOnceMax; round += 1) {
      const taken = takeRound(pace, 0)
      expect(taken.wait).toBe(0)
      pace = taken.pace
    }
    expect(takeRound(pace, 0).wait).toBe(roundSpacingMilliseconds)
  })

  it('is bounded whatever comes, and a round can be had after the wait it names', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(2000), { minLength: 1, maxLength: 300 }), gaps => {
        let [pace, now, taken]: [Pace | null, number, number] = [null, 0, 0]
        for (const gap of gaps) {
          now += gap
          const { pace: after, wait } = takeRound(pace, now)
          if (wait === 0) taken += 1
          else expect(takeRound(after, now + wait).wait).toBe(0)
          pace = after
        }
        expect(taken).toBeLessThanOrEqual(roundsAtOnceMax + now / roundSpacingMilliseconds + 1)
      }),
    )
  })
})

describe('the wait after a failure', () => {
  it('grows with each one in a row, with jitter, to an end', () => {
    expect(retryAfter(1, 0)).toBe(retryMillisecondsMin)
    expect(retryAfter(2, 0)).toBe(2 * retryMillisecondsMin)
    expect(retryAfter(2, 0.5)).toBe(3 * retryMillisecondsMin)
    expect(retryAfter(1000, 0)).toBe(retryMillisecondsMax / 2)
  })
})

describe('a look after a plan', () => {
  const device = 'vlnet0' as InterfaceName
  const forMember: Step = {
    kind: 'flood.add',
    interface: device,
    lower: 'lnet0' as InterfaceName,
    vtep: 'fd00::1' as IpAddress,
  }
  const ofDevice: Step = { kind: 'link.up', interface: device }

  it('waits a moment where entries for members were written, and not where a device was changed', () => {
    expect(verifyAfter([forMember, forMember])).toBe(verifyMilliseconds)
    expect(verifyAfter([forMember, ofDevice])).toBe(0)
    expect(verifyAfter([ofDevice])).toBe(0)
  })
})
