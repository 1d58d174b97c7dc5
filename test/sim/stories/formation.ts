import assert from 'node:assert/strict'
import type { Prefix } from '../../../src/model/address.ts'
import { type NodeOptions, names } from '../nodes.ts'
import type { Simulator } from '../simulator.ts'
import type { Story } from '../story.ts'
import { untilHealed } from '../until.ts'

/** Starts nodes that know the first one alone, within some seconds. */
export async function formMesh(
  sim: Simulator,
  all: readonly string[],
  optionsOf: (name: string) => NodeOptions = () => ({}),
  withinSeconds = 5,
): Promise<void> {
  for (const [index, name] of all.entries()) {
    if (index > 0) await sim.run({ seconds: (sim.chance.next() * 2 * withinSeconds) / all.length })
    const bootstrap = index === 0 ? [] : [all[0] as string]
    sim.node(name, { bootstrap, ...optionsOf(name) })
  }
}

/** A mesh that has come to rest. */
export async function settledMesh(
  sim: Simulator,
  size: number,
  optionsOf?: (name: string) => NodeOptions,
): Promise<string[]> {
  const all = names(size)
  await formMesh(sim, all, optionsOf)
  await untilHealed(sim, 60)
  return all
}

export const formation: Story = {
  name: 'formation',
  about: 'one bootstrap address makes a whole mesh',
  nodes: 10,
  async tell(sim, size) {
    // A crowd starts closer together, on busier machines: each round of a thousand daemons costs most of a minute here.
    if (size > 100) sim.kernelSlowness = 8
    await formMesh(sim, names(size), undefined, size > 100 ? 1 : 5)
    return { 'whole after': await untilHealed(sim, 60) }
  },
}

export const lateJoin: Story = {
  name: 'late-join',
  about: 'who comes much later, by any member, is in within seconds',
  nodes: 8,
  async tell(sim, size) {
    const all = await settledMesh(sim, size)
    await sim.run({ seconds: 1200 })
    sim.node('late', { bootstrap: sim.chance.pick(all) })
    return { 'whole after': await untilHealed(sim, 10) }
  },
}

export const storm: Story = {
  name: 'storm',
  about: 'a fifth is lost, a fifth comes twice, all comes late and in disorder: whole nevertheless',
  nodes: 10,
  conditions: { loss: 0.2, duplication: 0.2, delay: { min: 1, max: 900 }, exact: true },
  async tell(sim, size) {
    await formMesh(sim, names(size))
    const formed = await untilHealed(sim, 120)
    sim.node('late', { bootstrap: 'a' })
    return { 'whole after': formed, 'late one after': await untilHealed(sim, 60) }
  },
}

export const clocks: Story = {
  name: 'clocks',
  about: 'clocks that are years apart, run fast and slow, and jump back and forth by hours and years',
  nodes: 8,
  async tell(sim, size) {
    const hour = 3600
    const year = 365 * 24 * hour
    const all = await settledMesh(sim, size, () => ({
      clockOffsetSeconds: Math.round(sim.chance.between(-10 * year, 10 * year)),
      clockRate: sim.chance.between(0.995, 1.005),
      segment: { prefixes: ['192.168.102.0/26' as Prefix] },
    }))
    sim.partition(all.slice(0, size / 2), all.slice(size / 2))
    await sim.run({ seconds: 600 })
    sim.heal()
    const healed = await untilHealed(sim, 5)
    const applied = sim.trace.count('plan.applied')
    for (const span of [hour, hour, hour, year]) {
      for (const name of all)
        sim.at(name).clockOffsetSeconds += Math.round(sim.chance.between(-5 * span, 5 * span))
      await sim.run({ seconds: sim.chance.between(60, 600) })
    }
    assert.equal(sim.trace.count('plan.applied'), applied, 'a clock that jumps changes no kernel')
    await untilHealed(sim, 5)
    return { 'whole after': healed }
  },
}

export const deadAddresses: Story = {
  name: 'dead-addresses',
  about: 'nodes that announce addresses where nobody answers are found at the one that works',
  nodes: 6,
  async tell(sim, size) {
    await formMesh(sim, names(size), () => ({ deadAddresses: sim.chance.below(4) }))
    return { 'whole after': await untilHealed(sim, 60) }
  },
}

export const mtus: Story = {
  name: 'mtu',
  about: 'paths of different MTU: all take the least, and give it up when its node leaves',
  nodes: 5,
  async tell(sim, size) {
    const all = await settledMesh(sim, size, name => ({ pathMtu: name === 'c' ? 1460 : 1500 }))
    for (const name of all) assert.equal(sim.at(name).kernel.state.tunnel?.mtu, 1380)
    await sim.leave('c')
    await untilHealed(sim, 10)
    assert.equal(sim.at('a').kernel.state.tunnel?.mtu, 1420)
    return {}
  },
}
