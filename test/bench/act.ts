import type { Contestant, Net } from './contestant.ts'

/** What an act has to work with. */
export interface Stage {
  readonly contestant: Contestant
  /** How many nodes form the mesh. */
  readonly nodes: number
  /** How often what is quick is measured; the median counts. */
  readonly repeat: number
  readonly idleSeconds: number
  /** `members` where the figure is about so many, and not about the nodes of the mesh. */
  note(figure: string, value: number, unit: string, members?: number): void
}

/** One figure or several that are measured together. */
export type Act = {
  readonly name: string
  readonly about: string
  /** Whether the contestant has what would be measured. */
  suits(contestant: Contestant): boolean
} & (
  | { readonly on: 'nothing'; play(stage: Stage): Promise<void> }
  | {
      /** All nodes but the spare ones run and have met. */
      readonly on: 'mesh'
      /** Machines beyond those of the mesh, not started. */
      spares(stage: Stage): number
      play(stage: Stage, net: Net): Promise<void>
    }
)
