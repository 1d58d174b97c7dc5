import { describe, expect, it } from 'vitest'
import { names } from '../../sim/nodes.ts'
import { Simulator } from '../../sim/simulator.ts'
import { formMesh } from '../../sim/stories/formation.ts'
import { untilHealed } from '../../sim/until.ts'
import type { Figure } from '../figure.ts'
import { Crowd } from './crowd.ts'
import { simulate } from './simulate.ts'

describe('the crowd of the bench', () => {
  it('comes to agree after a join, a split and a restart', () => {
    const figures: Figure[] = []
    simulate(60, 1, figure => figures.push(figure))
    expect(figures).toHaveLength(10)
    expect(figures.filter(({ value }) => !(value > 0 && Number.isFinite(value)))).toEqual([])
  })

  it('is the same for the same seed', () => {
    const told = [1, 1, 2].map(seed => {
      const figures: Figure[] = []
      simulate(20, seed, figure => figures.push(figure))
      return JSON.stringify(figures)
    })
    expect(told[0]).toBe(told[1])
    expect(told[0]).not.toBe(told[2])
  })

  it('costs about what whole daemons cost in the simulator', async () => {
    const size = 20
    const seconds = 3600
    const sim = new Simulator({ seed: 1 })
    await formMesh(sim, names(size))
    await untilHealed(sim, 60)
    await sim.run({ seconds: 1200 })
    const before = sim.network.counts.bytes
    await sim.run({ seconds })
    const whole = (2 * (sim.network.counts.bytes - before)) / size

    const crowd = new Crowd(size, 1)
    crowd.run(1200)
    const { bytes } = crowd.traffic(() => crowd.run(seconds))
    expect(bytes / whole).toBeGreaterThan(2 / 3)
    expect(bytes / whole).toBeLessThan(3 / 2)
  })
})
