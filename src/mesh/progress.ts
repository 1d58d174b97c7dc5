import { progressLookSeconds, standstillSecondsMax } from '../model/limits.ts'

/** A part of the daemon that has to go on for ever. */
export type Worker = 'reconcile' | 'gossip'

/** What a worker has done so far, and whether it has anything to do now. */
export interface Work {
  /** Grows with everything it finishes. */
  readonly done: number
  readonly due: boolean
}

export type Works = Readonly<Record<Worker, Work>>

/** How long each worker has had something to do and finished nothing, milliseconds. */
export interface Progress {
  readonly lookedAt: number
  readonly works: Works
  readonly idle: Readonly<Record<Worker, number>>
}

/** Nothing stands still at the beginning. `now`: monotonic milliseconds. */
export function beginProgress(works: Works, now: number): Progress {
  return { lookedAt: now, works, idle: { reconcile: 0, gossip: 0 } }
}

/**
 * A look every `progressLookSeconds`. A longer time between two looks was one in which this process did not run
 * (stopped, suspended, starved): no worker is to blame for that.
 */
export function lookAtProgress(before: Progress, works: Works, now: number): Progress {
  const elapsed = Math.min(now - before.lookedAt, 2 * progressLookSeconds * 1000)
  const idleOf = (worker: Worker) => {
    if (works[worker].done !== before.works[worker].done) return 0
    return before.idle[worker] + (works[worker].due ? elapsed : 0)
  }
  return { lookedAt: now, works, idle: { reconcile: idleOf('reconcile'), gossip: idleOf('gossip') } }
}

/** One sentence about what stands still, which only a restart mends; null while everything goes on. */
export function standstillOf({ idle }: Progress): string | null {
  if (idle.reconcile >= standstillSecondsMax.reconcile * 1000)
    return `the kernel was not looked at for ${standstillSecondsMax.reconcile} s`
  if (idle.gossip >= standstillSecondsMax.gossip * 1000)
    return `neighbours connected for ${standstillSecondsMax.gossip} s and not one of them could be talked to`
  return null
}
