import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type NeighbourLink, neighboursToHangUp } from '../../src/mesh/upkeep.ts'
import { neighbourDegree, neighboursComfortable, neighboursMax } from '../../src/model/limits.ts'
import type { NodeId } from '../../src/model/node.ts'

const hour = 3_600_000

describe('whom to hang up on', () => {
  it('is nobody in a settled small mesh', () => {
    expect(neighboursToHangUp(links(neighbourDegree, { direction: 'outbound' }))).toEqual([])
  })

  it('is who carries no topic, once it had the time to', () => {
    expect(neighboursToHangUp(links(1, { listens: false, ageMilliseconds: 10_000 }))).toEqual([])
    expect(neighboursToHangUp(links(1, { listens: false, wanted: true }))).toEqual([
      { node: 'node-0', reason: 'deaf' },
    ])
  })

  it('is what we dialled beyond the degree, the oldest first, never a wanted one or a newcomer', () => {
    const surplus = links(neighbourDegree + 2, { direction: 'outbound' })
    expect(neighboursToHangUp(surplus).map(({ node }) => node)).toEqual(['node-0', 'node-1'])
    expect(neighboursToHangUp(links(50, { direction: 'outbound', wanted: true }))).toEqual([])
    expect(neighboursToHangUp(links(50, { direction: 'outbound', ageMilliseconds: 1000 }))).toEqual([])
  })

  it('is what dialled us only when there is no room for newcomers', () => {
    expect(neighboursToHangUp(links(neighboursComfortable, { direction: 'inbound' }))).toEqual([])
    expect(neighboursToHangUp(links(neighboursMax, { direction: 'inbound' }))).toHaveLength(
      neighboursMax - neighboursComfortable,
    )
  })

  it('leaves a full degree of sound links whenever there was one', () => {
    const anyLink = fc.record({
      direction: fc.constantFrom('inbound' as const, 'outbound' as const),
      ageMilliseconds: fc.nat({ max: hour }),
      listens: fc.boolean(),
      wanted: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(anyLink, { maxLength: 120 }), items => {
        const all = items.map((item, index) => ({ ...item, node: `node-${index}` as NodeId }))
        const gone = new Set(neighboursToHangUp(all).map(({ node }) => node))
        const sound = all.filter(({ listens, ageMilliseconds }) => listens || ageMilliseconds <= 20_000)
        const left = sound.filter(({ node }) => !gone.has(node))
        expect(left.length).toBeGreaterThanOrEqual(Math.min(sound.length, neighbourDegree))
      }),
    )
  })
})

function links(count: number, link: Partial<NeighbourLink>): readonly NeighbourLink[] {
  return Array.from({ length: count }, (_, index) => ({
    node: `node-${index}` as NodeId,
    direction: 'inbound',
    ageMilliseconds: hour - index,
    listens: true,
    wanted: false,
    ...link,
  }))
}
