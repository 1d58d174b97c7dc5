import { expectHealed } from '../checks.ts'
import type { Simulator } from '../simulator.ts'
import type { Story } from '../story.ts'
import { untilHealed, untilIdentical } from '../until.ts'
import { settledMesh } from './formation.ts'
import { changes } from './meddling.ts'

export const chaos: Story = {
  name: 'chaos',
  about: 'everything at once, for minutes; whole once it ends',
  nodes: 9,
  async tell(sim, size) {
    const all = await settledMesh(sim, size)
    const end = sim.time.now() + 600_000
    while (sim.time.now() < end) {
      await act(sim, all)
      await sim.run({ seconds: sim.chance.between(0, 30) })
    }
    sim.heal()
    sim.weather({ loss: 0, delay: { min: 5, max: 40 }, duplication: 0 })
    sim.kernelFaultsPercent = 0
    for (const { name, process } of sim.machines) if (process === null) sim.start(name)
    const whole = await untilHealed(sim, 120)
    await sim.run({ seconds: 300 })
    await expectHealed(sim)
    await untilIdentical(sim, 30)
    return { 'whole after': whole, nodes: String(sim.machines.length) }
  },
}

async function act(sim: Simulator, all: string[]): Promise<void> {
  const name = sim.chance.pick(all)
  const isUp = sim.at(name).process !== null
  const actions: (() => unknown)[] = [
    () => (isUp ? sim.crash(name) : sim.start(name)),
    () => (isUp ? sim.stop(name) : sim.start(name)),
    () => (isUp ? sim.powerOff(name) : sim.start(name)),
    () => (isUp ? sim.leave(name) : sim.start(name)),
    () => (isUp ? sim.down(name) : sim.start(name)),
    () => sim.move(name),
    () => sim.partition(...halves(sim.chance.shuffled(all))),
    () => sim.cut(name, sim.chance.pick(all)),
    () => sim.heal(),
    () => sim.weather({ loss: sim.chance.next() * 0.3, delay: { min: 1, max: 40 + sim.chance.below(900) } }),
    () => {
      sim.kernelFaultsPercent = sim.chance.below(15)
    },
    () => meddle(sim, name),
    () => join(sim, all),
  ]
  await sim.chance.pick(actions)()
}

/** Of what happens to WireGuard no kernel tells. */
function meddle(sim: Simulator, name: string): void {
  const [what, change] = sim.chance.pick(Object.entries(changes))
  sim.meddle(name, change, !what.startsWith('peer'))
}

function join(sim: Simulator, all: string[]): void {
  if (all.length >= 14) return
  const name = `n${all.length}`
  sim.node(name, { bootstrap: sim.chance.pick(all), near: all[0] as string })
  all.push(name)
}

function halves(all: readonly string[]): string[][] {
  return [all.slice(0, all.length / 2), all.slice(all.length / 2)]
}
