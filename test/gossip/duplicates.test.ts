import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { judgeDuplicate } from '../../src/gossip/duplicates.ts'
import { duplicateMillisecondsMax } from '../../src/model/limits.ts'
import type { NodeId } from '../../src/model/node.ts'

const [low, high] = ['12D3KooWA', '12D3KooWB'] as [NodeId, NodeId]

/** One of two connections between the two nodes: who dialled it, and when it stood. */
interface Dialled {
  readonly by: NodeId
  readonly at: number
}

describe('two connections between the same nodes', () => {
  it('that cross leave the one the lower id dialled, whichever arrives first at whom', () => {
    const apart = fc.nat(duplicateMillisecondsMax - 1)
    fc.assert(
      fc.property(apart, fc.boolean(), fc.boolean(), (at, lowFirstAtLow, lowFirstAtHigh) => {
        const pair: [Dialled, Dialled] = [
          { by: low, at: 0 },
          { by: high, at },
        ]
        expect(survivor(low, high, lowFirstAtLow ? pair : swapped(pair)).by).toBe(low)
        expect(survivor(high, low, lowFirstAtHigh ? pair : swapped(pair)).by).toBe(low)
      }),
    )
  })

  it('leave the later one when the first stood for a while, whoever dialled which', () => {
    for (const first of [low, high])
      for (const by of [low, high]) {
        const pair: [Dialled, Dialled] = [
          { by: first, at: 0 },
          { by, at: duplicateMillisecondsMax },
        ]
        expect(survivor(low, high, pair)).toBe(pair[1])
        expect(survivor(high, low, pair)).toBe(pair[1])
      }
  })

  it('leave the first of two that the same side dialled at once', () => {
    for (const by of [low, high]) {
      const pair: [Dialled, Dialled] = [
        { by, at: 0 },
        { by, at: 1 },
      ]
      expect(survivor(low, high, pair)).toBe(pair[0])
      expect(survivor(high, low, pair)).toBe(pair[0])
    }
  })
})

function survivor(self: NodeId, other: NodeId, [first, second]: readonly [Dialled, Dialled]): Dialled {
  const directionOf = ({ by }: Dialled) => (by === self ? 'outbound' : 'inbound')
  const verdict = judgeDuplicate({
    self,
    other,
    existing: directionOf(first),
    coming: directionOf(second),
    laterMilliseconds: second.at - first.at,
  })
  return verdict === 'replace' ? second : first
}

function swapped([first, second]: [Dialled, Dialled]): [Dialled, Dialled] {
  return [second, first]
}
