import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { chooseNeighbours } from '../../src/mesh/neighbours.ts'
import { neighbourDegree, silentNeighboursWanted } from '../../src/model/limits.ts'
import type { NodeId } from '../../src/model/node.ts'
import { member, membership, nodeId, now, sure } from './world.ts'

describe('the choice of neighbours', () => {
  it('is nobody where nobody is', () => {
    expect(chooseNeighbours(nodeId(1), new Map(), now)).toEqual({ wanted: [], spare: [] })
  })

  it('wants the living and a few of the silent, last, and leaves alone who left', () => {
    const silent = Array.from({ length: silentNeighboursWanted + 2 }, (_, index) =>
      member(index + 10, {}, 10_000),
    )
    const { wanted, spare } = chooseNeighbours(
      nodeId(1),
      membership(...silent, member(2), member(3, { left: true })),
      now,
    )
    expect(wanted[0]).toBe(nodeId(2))
    expect([wanted.length, spare.length]).toEqual([1 + silentNeighboursWanted, 2])
    expect([...wanted, ...spare]).not.toContain(nodeId(3))
  })

  it('names everyone once', () => {
    const numbers = fc.uniqueArray(fc.integer({ min: 1, max: 5000 }), { maxLength: 30 })
    fc.assert(
      fc.property(numbers, list => {
        const known = membership(...list.map(number => member(number)))
        const { wanted, spare } = chooseNeighbours(nodeId(0), known, now)
        expect(wanted.length).toBeLessThanOrEqual(neighbourDegree)
        expect([...wanted, ...spare].sort()).toEqual(list.map(nodeId).sort())
      }),
    )
  })

  it('does not hang on the order in which members were heard', () => {
    const members = Array.from({ length: 20 }, (_, index) => member(index + 2))
    const choice = chooseNeighbours(nodeId(1), membership(...members), now)
    expect(chooseNeighbours(nodeId(1), membership(...members.toReversed()), now)).toEqual(choice)
  })

  it.each([2, 3, 10, 100, 1000])('connects %d nodes to one whole, evenly', size => {
    const { links, reached } = meshOf(size)
    expect(reached).toBe(size)
    const degrees = Array.from(links.values(), each => each.size)
    expect(Math.max(...degrees)).toBeLessThanOrEqual(neighbourDegree * 4)
    expect(degrees.reduce((sum, degree) => sum + degree, 0) / size).toBeLessThanOrEqual(neighbourDegree + 2)
  })
})

/** Everyone dials whom it wants; links carry both ways. */
function meshOf(size: number) {
  const nodes = Array.from({ length: size }, (_, index) => nodeId(index * 7919 + 1))
  const everyone = new Map(nodes.map((node, index) => [node, { ...member(index * 7919 + 1) }]))
  const links = new Map(nodes.map(node => [node, new Set<NodeId>()]))
  for (const node of nodes) {
    const known = new Map(everyone)
    known.delete(node)
    for (const wanted of chooseNeighbours(node, known, now).wanted) {
      sure(links.get(node)).add(wanted)
      sure(links.get(wanted)).add(node)
    }
  }
  const seen = new Set<NodeId>([sure(nodes[0])])
  for (const node of seen) for (const next of sure(links.get(node))) seen.add(next)
  return { links, reached: seen.size }
}
