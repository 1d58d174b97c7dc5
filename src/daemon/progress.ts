import type { Cancel, Clock } from '../host/clock.ts'
import { beginProgress, lookAtProgress, standstillOf, type Works } from '../mesh/progress.ts'
import { progressLookSeconds } from '../model/limits.ts'
import type { State } from './state.ts'

/**
 * Watches that the daemon goes on, until cancelled. A standstill is a bug that only a restart mends: it throws, which
 * ends lnetd for the service manager to start it again; the network stays up meanwhile.
 */
export function watchProgress(clock: Pick<Clock, 'now' | 'setTimer'>, state: State): Cancel {
  let connections = 0
  const works = (): Works => {
    const isConnected = (state.gossip?.neighbours().length ?? 0) > 0 || state.connections !== connections
    connections = state.connections
    return { reconcile: { done: state.looks, due: true }, gossip: { done: state.heard, due: isConnected } }
  }
  let progress = beginProgress(works(), clock.now())
  let tick: Cancel
  const look = () => {
    tick = clock.setTimer(progressLookSeconds * 1000, look)
    progress = lookAtProgress(progress, works(), clock.now())
    const standstill = standstillOf(progress)
    if (standstill !== null) throw new Error(standstill)
  }
  tick = clock.setTimer(progressLookSeconds * 1000, look)
  return () => tick()
}
