import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { judgeDuplicate } from '../../src/gossip/duplicates.ts'
import { duplicateSecondsMax } from '../../src/model/limits.ts'
import type { NodeId } from '../../src/model/node.ts'

const [low, high] = ['12D3KooWA', '12D3KooWB'] as [NodeId, NodeId]
const fresh = 100
const old = duplicateSecondsMax * 1000

describe('two connections between the same nodes', () => {
  it('that cross leave the one the lower id dialled, whichever arrives first at whom', () => {
    fc.assert(
      fc.property(fc.boolean(), fc.boolean(), (lowFirstAtLow, lowFirstAtHigh) => {
        expect(survivor(low, high, lowFirstAtLow)).toBe('dialled by low')
        expect(survivor(high, low, lowFirstAtHigh)).toBe('dialled by low')
      }),
    )
  })

  it('leave the new one when the other side comes again: it knows that the old one is dead', () => {
    for (const direction of ['inbound', 'outbound'] as const) {
      const existing = { direction, ageMilliseconds: old }
      expect(judgeDuplicate({ self: low, other: high, existing, coming: 'inbound' })).toBe('replace')
      expect(judgeDuplicate({ self: high, other: low, existing, coming: 'inbound' })).toBe('replace')
      expect(judgeDuplicate({ self: low, other: high, existing, coming: 'outbound' })).toBe('refuse')
    }
  })

  it('leave the first of two that the same side dialled', () => {
    const existing = { direction: 'outbound', ageMilliseconds: fresh } as const
    expect(judgeDuplicate({ self: low, other: high, existing, coming: 'outbound' })).toBe('refuse')
  })
})

function survivor(self: NodeId, other: NodeId, lowFirst: boolean): string {
  const directionOf = (dialler: NodeId) => (dialler === self ? 'outbound' : 'inbound')
  const [first, second] = lowFirst ? [low, high] : [high, low]
  const existing = { direction: directionOf(first), ageMilliseconds: fresh } as const
  const verdict = judgeDuplicate({ self, other, existing, coming: directionOf(second) })
  const kept = verdict === 'replace' ? second : first
  return `dialled by ${kept === low ? 'low' : 'high'}`
}
