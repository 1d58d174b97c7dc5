import { describe, expect, it } from 'vitest'
import { expectHealed, survey, take, violations } from './checks.ts'
import { names, segmentInterface } from './nodes.ts'
import { Simulator } from './simulator.ts'
import { formMesh } from './stories/formation.ts'
import { stories } from './stories.ts'
import { tellStory } from './story.ts'
import { untilHealed } from './until.ts'

describe('a world', () => {
  it('is the same for the same seed, whatever is lost and crashes in it', async () => {
    const digests = [7, 7, 8].map(seed => stormDigest(seed))
    const [first, again, other] = await Promise.all(digests)
    expect(again).toBe(first)
    expect(other).not.toBe(first)
  })

  it('tells a story alike every time', async () => {
    const [story] = stories
    if (story === undefined) return expect.unreachable()
    const [first, again] = [await tellStory(story, 3), await tellStory(story, 3)]
    expect(again).toEqual(first)
  })
})

describe('the checks of a world', () => {
  it('find nothing in a whole mesh', async () => {
    const sim = await wholeMesh()
    await expectHealed(sim)
  })

  it.each([
    ['a flood entry', 'flood'],
    ['a MAC entry', 'unicast'],
    ['a neighbour entry', 'neighbours'],
  ] as const)('miss %s that is gone', async (_, list) => {
    const sim = await wholeMesh()
    sim.meddle(
      'b',
      state => ({
        ...state,
        segments: state.segments.map(segment => ({ ...segment, [list]: segment[list].slice(1) })),
      }),
      false,
    )
    const found = [...take(violations(sim, await survey(sim)), 3)]
    expect(found[0]).toMatch(/^b still wants to/)
    expect(found.slice(1).every(text => text.startsWith('b '))).toBe(true)
    await expect(expectHealed(sim)).rejects.toThrow('the mesh is not whole')
  })

  it('miss a mesh that is cut in two', async () => {
    const sim = await wholeMesh()
    sim.partition(['a', 'b'], ['c', 'd'])
    await sim.run({ seconds: 150 })
    await expect(expectHealed(sim)).rejects.toThrow(/finds the tunnel to/)
  })

  it('see an address that is up twice, and an MTU that differs', async () => {
    const sim = await wholeMesh()
    const address = sim.at('a').kernel.state.segments[0]?.addresses[0]
    if (address === undefined) return expect.unreachable()
    sim.meddle(
      'b',
      state => ({
        ...state,
        tunnel: state.tunnel === null ? null : { ...state.tunnel, mtu: 1300 },
        segments: state.segments.map(segment => ({ ...segment, addresses: [address] })),
      }),
      false,
    )
    const found = [...violations(sim, await survey(sim))].join('\n')
    expect(found).toContain(`${address} is up on a and on b`)
    expect(found).toContain('b has MTU 1300')
    expect(sim.at('b').kernel.state.segments[0]?.interface).toBe(segmentInterface)
  })
})

async function wholeMesh(): Promise<Simulator> {
  const sim = new Simulator({ seed: 'whole' })
  await formMesh(sim, names(4))
  await untilHealed(sim, 20)
  return sim
}

async function stormDigest(seed: number): Promise<string> {
  const conditions = { loss: 0.2, duplication: 0.1, delay: { min: 1, max: 700 }, exact: true }
  const sim = new Simulator({ seed, conditions })
  sim.kernelFaultsPercent = 10
  await formMesh(sim, names(6))
  await sim.run({ seconds: 30 })
  sim.crash('b')
  sim.powerOff('c')
  sim.partition(['a', 'd'], ['e', 'f', 'b'])
  await sim.run({ seconds: 30 })
  sim.start('b')
  sim.heal()
  await sim.run({ seconds: 30 })
  expect(sim.trace.count('member.joined')).toBeGreaterThan(10)
  return sim.trace.digest()
}
