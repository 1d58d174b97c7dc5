import { untilHealed } from '../checks.ts'
import { names, type Simulator } from '../simulator.ts'
import type { Story } from '../story.ts'

/** All start within a few seconds, and know the first one only. */
export const formation: Story = {
  name: 'formation',
  about: 'one bootstrap address makes a whole mesh',
  nodes: 10,
  async tell(sim, size) {
    await formMesh(sim, names(size))
    return { 'whole after': await untilHealed(sim, 30) }
  },
}

/** Starts nodes that know the first one, within some seconds. */
export async function formMesh(sim: Simulator, all: readonly string[], withinSeconds = 5): Promise<void> {
  const [first, ...rest] = all
  if (first === undefined) return
  sim.node(first)
  for (const name of rest) {
    await sim.run({ seconds: (sim.chance.next() * 2 * withinSeconds) / all.length })
    sim.node(name, { bootstrap: first })
  }
}
