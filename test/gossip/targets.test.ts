import { expect, it } from 'vitest'
import { TargetBook } from '../../src/gossip/targets.ts'
import { bootstrapRestMilliseconds } from '../../src/mesh/redial.ts'
import { neighboursEnough } from '../../src/model/limits.ts'
import { nodeId } from '../mesh/world.ts'

const place = { kind: 'multiaddr', multiaddr: '/ip4/192.0.2.1/tcp/51821' } as const
const candidates = Array.from({ length: 20 }, (_, index) => ({
  node: nodeId(index + 2),
  addresses: [],
  wanted: false,
}))
const enough = new Set(candidates.slice(0, neighboursEnough).map(({ node }) => node as string))

it('asks a bootstrap place again after a rest that grows with the mesh, or when neighbours are few', () => {
  const book = new TargetBook(
    [place],
    () => Promise.resolve([]),
    () => true,
  )
  const asks = (connected: ReadonlySet<string>, now: number) =>
    book.targets(candidates, nodeId(1), connected, now).some(({ node }) => node === null)
  const [key] = book.targets([], nodeId(1), new Set(), 0).map(target => target.key)
  expect(asks(enough, 0)).toBe(true)
  book.answered(key ?? '', nodeId(99), 0)
  const rest = bootstrapRestMilliseconds(candidates.length)
  expect(rest).toBeGreaterThan(bootstrapRestMilliseconds(1))
  expect(asks(enough, rest)).toBe(false)
  expect(asks(enough, rest + 1)).toBe(true)
  expect(asks(new Set(), 1)).toBe(true)
  expect(asks(new Set([nodeId(99)]), rest + 1)).toBe(false)
})

it('names the bootstrap places that are this node itself, until its addresses change', () => {
  const book = new TargetBook(
    [place],
    () => Promise.resolve([]),
    () => true,
  )
  const [key = ''] = book.targets([], nodeId(1), new Set(), 0).map(target => target.key)
  book.isOurselves(key)
  expect(book.ownPlaces()).toEqual([place.multiaddr])
  expect(book.targets([], nodeId(1), new Set(), 0)).toEqual([])
  book.forgetOurselves()
  expect(book.ownPlaces()).toEqual([])
})
