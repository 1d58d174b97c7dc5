import type { NetworkConditions } from '../fake/gossip.ts'
import { Simulator } from './simulator.ts'

/** What was measured, in seconds unless it says otherwise. */
export type Findings = Readonly<Record<string, number | string>>

/** What happens to a mesh, and what must be so afterwards. */
export interface Story {
  readonly name: string
  /** One line for people. */
  readonly about: string
  /** How many nodes it usually has. */
  readonly nodes: number
  readonly conditions?: Partial<NetworkConditions>
  /** Throws when what must be so is not. */
  tell(sim: Simulator, nodes: number): Promise<Findings>
}

export interface Outcome {
  readonly findings: Findings
  /** How long it was in the world. */
  readonly worldSeconds: number
  readonly digest: string
}

/** Everything a failure needs to be seen again. */
export class StoryFailure extends Error {
  readonly replay: string

  constructor(story: Story, seed: number, nodes: number, sim: Simulator, cause: unknown) {
    const replay = `npm run sim -- --story ${story.name} --seed ${seed} --nodes ${nodes} --log`
    const reason = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)
    const tail = sim.trace.tail(8).join('\n')
    super(
      `story ${story.name}, seed ${seed}, ${nodes} nodes, at ${(sim.time.now() / 1000).toFixed(1)} s: ${reason}\n` +
        `last words:\n${tail}\nreplay: ${replay}`,
    )
    this.replay = replay
  }
}

/** Tells a story in a world of its own. Throws a StoryFailure. */
export async function tellStory(
  story: Story,
  seed: number,
  nodes: number = story.nodes,
  prepare: (sim: Simulator) => void = () => undefined,
): Promise<Outcome> {
  const sim = new Simulator({
    seed,
    ...(story.conditions === undefined ? {} : { conditions: story.conditions }),
  })
  prepare(sim)
  try {
    const findings = await story.tell(sim, nodes)
    return { findings, worldSeconds: sim.time.now() / 1000, digest: sim.trace.digest() }
  } catch (cause) {
    throw new StoryFailure(story, seed, nodes, sim, cause)
  }
}
