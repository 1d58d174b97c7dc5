import assert from 'node:assert/strict'
import { tunnelLiveness } from '../../../src/mesh/liveness.ts'
import { neighbourSilenceSecondsMax } from '../../../src/model/limits.ts'
import { survey } from '../checks.ts'
import { contentOf, expectKept } from '../kept.ts'
import { names } from '../nodes.ts'
import type { Story } from '../story.ts'
import { untilHealed, untilIdentical } from '../until.ts'
import { formMesh, settledMesh } from './formation.ts'

export const kernelFaults: Story = {
  name: 'kernel-faults',
  about: 'tools that fail one time in five do not keep a mesh from becoming whole',
  nodes: 6,
  async tell(sim, size) {
    sim.kernelFaultsPercent = 20
    await formMesh(sim, names(size))
    sim.node('late', { bootstrap: 'a' })
    const formed = await untilHealed(sim, 180)
    sim.kernelFaultsPercent = 100
    await sim.run({ seconds: 120 })
    sim.node('later', { bootstrap: 'a' })
    await sim.run({ seconds: 30 })
    sim.kernelFaultsPercent = 0
    return { 'whole after': formed, 'after outage': await untilHealed(sim, 60) }
  },
}

export const moves: Story = {
  name: 'moves',
  about: 'machines that get other addresses are found again within seconds, two at a time too',
  nodes: 6,
  async tell(sim, size) {
    const all = await settledMesh(sim, size)
    await sim.run({ seconds: sim.chance.between(0, 100) })
    sim.move(sim.chance.pick(all))
    const one = await untilHealed(sim, 3)
    await sim.run({ seconds: sim.chance.between(0, 100) })
    const [first, second] = sim.chance.shuffled(all) as [string, string]
    sim.move(first)
    sim.move(second)
    return { 'one after': one, 'two after': await untilHealed(sim, 60) }
  },
}

export const blocked: Story = {
  name: 'blocked',
  about: 'a tunnel that cannot be is called down, not unknown for ever',
  nodes: 4,
  async tell(sim, size) {
    await settledMesh(sim, size)
    sim.partition(['a', 'b'], ['c', 'd'])
    await sim.run({ seconds: 130 })
    let seen = 0
    for (let second = 0; second < 100; second += 1) {
      await sim.run({ seconds: 1 })
      const [sight] = await survey(sim)
      const track = sight?.snapshot.tracks.get(sim.at('c').publicKey)
      assert.ok(sight !== undefined && track !== undefined)
      if (tunnelLiveness(track, sight.snapshot.now) === 'down') seen += 1
    }
    assert.ok(seen >= 90, `down in ${seen} of 100 looks`)
    sim.heal()
    return { 'whole after': await untilHealed(sim, 30) }
  },
}

export const amnesia: Story = {
  name: 'amnesia',
  about: 'a node whose state directory was lost outbids what it said before, and is heard again',
  nodes: 5,
  async tell(sim, size) {
    const all = await settledMesh(sim, size)
    await sim.run({ seconds: sim.chance.between(0, 300) })
    const name = sim.chance.pick(all)
    for (let restart = 0; restart < 3; restart += 1) {
      await sim.stop(name)
      sim.start(name)
      await sim.run({ seconds: sim.chance.between(1, 20) })
    }
    const before = contentOf(sim.at(name))
    sim.crash(name)
    sim.at(name).disk.wipe()
    // It knows nobody, and hears nobody yet: that is no reason to take anything away.
    sim.partition([name])
    sim.start(name)
    for (let step = 0; step < 100; step += 1) {
      await sim.run({ seconds: 0.1 })
      expectKept(sim.at(name), before, sim.time.now())
    }
    sim.heal()
    // It knows nobody to dial, and the others find out by its silence only that their connections are dead.
    const whole = await untilHealed(sim, 2 * neighbourSilenceSecondsMax)
    const { self } = await sim.look(() => sim.at(name).daemon.snapshot())
    assert.ok((self?.sequence.incarnation ?? 0) > 4, 'it did not outbid itself')
    await untilIdentical(sim, 30)
    return { 'whole after': whole }
  },
}
