import assert from 'node:assert/strict'
import { survey } from '../checks.ts'
import type { Simulator } from '../simulator.ts'
import type { Story } from '../story.ts'
import { untilAgreed, untilHealed, untilIdentical } from '../until.ts'
import { settledMesh } from './formation.ts'

export const splitInTwo: Story = {
  name: 'split-in-two',
  about: 'both sides go on by themselves, with joins, leaves, restarts and moves; then agree within seconds',
  nodes: 10,
  tell: (sim, size) => tellSplit(sim, size, 2),
}

export const splitInThree: Story = {
  name: 'split-in-three',
  about: 'the same on three sides',
  nodes: 12,
  tell: (sim, size) => tellSplit(sim, size, 3),
}

/** After the split ended everybody believes the same within so many seconds. */
const agreedSecondsMax = 5

async function tellSplit(sim: Simulator, size: number, sides: number) {
  const all = sim.chance.shuffled(await settledMesh(sim, size))
  const groups = Array.from({ length: sides }, (_, side) => all.filter((_, index) => index % sides === side))
  sim.partition(...groups)
  await sim.run({ seconds: sim.chance.between(1, 60) })
  for (const [side, group] of groups.entries()) await liveOn(sim, group, `new${side}`)
  await sim.run({ seconds: sim.chance.pick([10, 600]) })
  sim.heal()
  const agreed = await untilAgreed(sim, agreedSecondsMax)
  const whole = agreed + (await untilHealed(sim, 30))
  await untilIdentical(sim, 30)
  return { 'agreed after': agreed, 'whole after': whole }
}

/** What a mesh does on one side of a split: 30 seconds of it at most. */
async function liveOn(sim: Simulator, group: readonly string[], newcomer: string): Promise<void> {
  const [leaver, restarted, crashed, host] = group
  if (leaver === undefined || restarted === undefined || crashed === undefined || host === undefined) return
  sim.node(newcomer, { bootstrap: host, near: host })
  await sim.run({ seconds: sim.chance.between(0, 10) })
  await sim.leave(leaver)
  await sim.stop(restarted)
  sim.crash(crashed)
  await sim.run({ seconds: sim.chance.between(0, 30) })
  sim.start(restarted)
  sim.start(crashed)
  sim.move(sim.chance.pick([restarted, crashed, host, newcomer]))
}

export const longSplit: Story = {
  name: 'long-split',
  about: 'two hours apart: the other side goes from the kernels, and comes back when the split ends',
  nodes: 8,
  async tell(sim, size) {
    const all = await settledMesh(sim, size)
    const [left, right] = [all.slice(0, size / 2), all.slice(size / 2)]
    sim.partition(left, right)
    for (const [side, group] of [left, right].entries()) await liveOn(sim, group, `new${side}`)
    await sim.run({ seconds: 7200 })
    // One left, and one came.
    for (const { machine, state } of await survey(sim))
      assert.equal(state.tunnel?.peers.length, size / 2 - 1, `${machine.name} keeps its own side only`)
    sim.heal()
    const agreed = await untilAgreed(sim, agreedSecondsMax)
    return { 'agreed after': agreed, 'whole after': agreed + (await untilHealed(sim, 30)) }
  },
}

export const oneWay: Story = {
  name: 'one-way',
  about: 'ways that are cut in one direction: news still goes round, and all is whole when they mend',
  nodes: 8,
  async tell(sim, size) {
    const all = await settledMesh(sim, size)
    for (let cut = 0; cut < size; cut += 1) {
      const [from, to] = sim.chance.shuffled(all)
      if (from !== undefined && to !== undefined) sim.cut(from, to)
    }
    await sim.run({ seconds: 200 })
    sim.node('late', { bootstrap: 'a' })
    const agreed = await untilAgreed(sim, 90)
    await sim.run({ seconds: sim.chance.between(1, 400) })
    sim.heal()
    return { 'news round after': agreed, 'whole after': await untilHealed(sim, 60) }
  },
}

export const deafSide: Story = {
  name: 'deaf-side',
  about: 'one side hears the other and is not heard, for minutes',
  nodes: 8,
  async tell(sim, size) {
    const all = await settledMesh(sim, size)
    const [deafSide, others] = [all.slice(0, size / 2), all.slice(size / 2)]
    for (const from of others) for (const to of deafSide) sim.cut(from, to)
    await sim.run({ seconds: sim.chance.between(60, 600) })
    sim.node('late', { bootstrap: others[0] as string })
    await sim.run({ seconds: 30 })
    sim.heal()
    const agreed = await untilAgreed(sim, 60)
    return { 'agreed after': agreed, 'whole after': agreed + (await untilHealed(sim, 60)) }
  },
}
