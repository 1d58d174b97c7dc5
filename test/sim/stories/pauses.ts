import assert from 'node:assert/strict'
import { survey } from '../checks.ts'
import { addressesOf, contentOf, expectKept, expectPeer } from '../kept.ts'
import type { Simulator } from '../simulator.ts'
import type { Story } from '../story.ts'
import { untilHealed } from '../until.ts'
import { settledMesh } from './formation.ts'

const hour = 3600

export const asleep: Story = {
  name: 'asleep',
  about: 'a laptop that sleeps for minutes or hours is back with all within seconds of its waking',
  nodes: 3,
  async tell(sim, size) {
    const all = await settledMesh(sim, size)
    await sim.run({ seconds: sim.chance.between(1, 100) })
    const laptop = sim.chance.pick(all)
    const before = addressesOf(sim.at(laptop))
    const seconds = sim.chance.pick([60, 600, 600, 8 * hour])
    sim.freeze(laptop, 'asleep')
    await sim.run({ seconds })
    const others = all.filter(name => name !== laptop)
    if (seconds > hour) for (const name of others) expectPeer(sim, name, laptop, false)
    sim.thaw(laptop, 'asleep')
    const whole = await untilHealed(sim, 5)
    assert.deepEqual(addressesOf(sim.at(laptop)), before)
    return { slept: `${seconds} s`, 'whole after': whole }
  },
}

export const stopped: Story = {
  name: 'stopped',
  about: 'daemons that are stopped for ten minutes cost no packet, and know all within seconds afterwards',
  nodes: 6,
  async tell(sim, size) {
    const all = await settledMesh(sim, size)
    await sim.run({ seconds: sim.chance.between(30, 100) })
    const still = sim.chance.shuffled(all).slice(0, sim.chance.pick([1, 2, size - 1]))
    const before = all.map(name => contentOf(sim.at(name)))
    for (const name of still) sim.freeze(name, 'stopped')
    for (let second = 0; second < 600; second += 10) {
      await sim.run({ seconds: 10 })
      for (const [index, name] of all.entries()) expectKept(sim.at(name), before[index] ?? [], sim.time.now())
      expectTraffic(sim)
    }
    const moved = all.find(name => !still.includes(name)) as string
    sim.move(moved)
    await sim.run({ seconds: 5 })
    for (const name of still) sim.thaw(name, 'stopped')
    return { stopped: String(still.length), 'whole after': await untilHealed(sim, 15) }
  },
}

/** Where no carrier tells, gossip does; but while its connection hangs, both wait for WireGuard's next try. */
const farCableSecondsMax = 8

export const unplugged: Story = {
  name: 'unplugged',
  about:
    'a cable is out for minutes, to whatever moment: all is whole within 2 s, behind a switch within 8 s',
  nodes: 6,
  async tell(sim, size) {
    const all = await settledMesh(sim, size)
    await sim.run({ seconds: sim.chance.between(1, 100) })
    const cut = sim.chance.pick(all)
    const told = sim.chance.pick([true, false])
    const seconds = sim.chance.pick([sim.chance.between(30, 70), sim.chance.between(30, 300)])
    sim.unplug(cut, told)
    await sim.run({ seconds })
    sim.plug(cut)
    const whole = await untilHealed(sim, told ? 2 : farCableSecondsMax)
    return { cable: told ? 'near' : 'far', out: `${seconds.toFixed(0)} s`, 'whole after': whole }
  },
}

export const flapping: Story = {
  name: 'flapping',
  about:
    'cables that flap once a second for a minute: no entry goes, neighbours and packets are back within 5 s',
  nodes: 7,
  async tell(sim, size) {
    const all = await settledMesh(sim, size)
    await sim.run({ seconds: sim.chance.between(20, 200) })
    const loose = sim.chance.shuffled(all).slice(0, sim.chance.pick([1, 2, size - 1, size]))
    const before = all.map(name => contentOf(sim.at(name)))
    const share = sim.chance.between(0.1, 0.9)
    for (let second = 0; second < 60; second += 1) {
      for (const name of loose) sim.unplug(name)
      await sim.run({ seconds: share })
      for (const name of loose) sim.plug(name)
      await sim.run({ seconds: 1 - share })
      for (const [index, name] of all.entries()) expectKept(sim.at(name), before[index] ?? [], sim.time.now())
    }
    const whole = await untilHealed(sim, 5)
    for (const { machine, snapshot } of await survey(sim))
      assert.ok(snapshot.neighbours.length > 0, `${machine.name} has no neighbours`)
    return { loose: String(loose.length), 'whole after': whole }
  },
}

/** Packets pass between every two, whatever their daemons do. */
function expectTraffic(sim: Simulator): void {
  for (const from of sim.machines)
    for (const to of sim.machines)
      if (from !== to)
        assert.ok(
          sim.wires.passes(from, to),
          `nothing passes from ${from.name} to ${to.name} at ${sim.time.now() / 1000} s`,
        )
}
