import { followFloods, isStorm } from '../mesh/flood.ts'
import type { Result } from '../model/failure.ts'
import type { Observation } from '../model/kernel-state.ts'
import { wholeLookSeconds } from '../model/limits.ts'
import type { DaemonParts } from './parts.ts'
import type { State } from './state.ts'

/** Looks at the kernel as closely as it needs. */
export interface Looker {
  look(): Promise<Result<Observation>>
  /** Something of ours was changed, by whomever: the next look leaves nothing out. */
  distrust(): void
}

/**
 * The kernel tells of every change but WireGuard's: between whole looks a glance at that is enough, one process where
 * a whole look takes four. A word of the kernel may get lost, so there is a whole look every `wholeLookSeconds` anyway.
 */
export function createLooker(parts: Pick<DaemonParts, 'clock' | 'kernel'>, state: State): Looker {
  const { clock, kernel } = parts
  let wholeAt = Number.NEGATIVE_INFINITY
  /** What was configured then: it says which devices are looked for. */
  let configuration = state.configuration
  const isKnown = (now: number) =>
    now - wholeAt < wholeLookSeconds * 1000 &&
    configuration === state.configuration &&
    !sharesBridges(state) &&
    !isInStorm(state, now)
  return {
    async look() {
      const now = clock.now()
      const known = state.observation
      if (known !== null && isKnown(now)) {
        const glance = await kernel.glance(known)
        if (glance.ok) return glance
      }
      // What is told while we look may be missing in it.
      wholeAt = now
      configuration = state.configuration
      const observed = await kernel.observe()
      if (observed.ok) state.floods = followFloods(state.floods, observed.value.floods, now)
      else wholeAt = Number.NEGATIVE_INFINITY
      return observed
    },
    distrust() {
      wholeAt = Number.NEGATIVE_INFINITY
    },
  }
}

/** Of a bridge that others use as well the kernel's word about our part is not listened to. */
function sharesBridges({ configuration }: State): boolean {
  return configuration.segments.some(({ bridge }) => bridge !== null)
}

/** Counters are no event: that a storm ends would else be seen late. */
function isInStorm({ floods }: State, now: number): boolean {
  return [...floods.values()].some(track => isStorm(track, now))
}
