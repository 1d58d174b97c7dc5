import type { Cancel } from '../host/clock.ts'
import { hasFirstHandshake, isAnswerAwaited } from '../mesh/awaited.ts'
import type { DaemonParts } from './parts.ts'
import type { State } from './state.ts'

/** WireGuard tells of no handshake: so soon it is read again while one is awaited. One process reads all peers. */
const trialPollMilliseconds = 100

/** Sees the first handshake of a member that is being tried, for which its flood entries wait. */
export interface TrialWatch {
  /** The kernel was looked at. */
  looked(): void
  stop(): void
}

/** `answered`: somebody shook hands for the first time. Has no timer where no trial began lately. */
export function createTrialWatch(
  { clock, kernel }: Pick<DaemonParts, 'clock' | 'kernel'>,
  state: State,
  answered: () => void,
): TrialWatch {
  let timer: Cancel | null = null
  let isReading = false
  let stopped = false

  function looked(): void {
    if (stopped || isReading || state.observation === null) return
    if (isAnswerAwaited(state.trials, state.observation.readings, clock.now()))
      timer ??= clock.setTimer(trialPollMilliseconds, () => void poll())
  }

  async function poll(): Promise<void> {
    timer = null
    const before = state.observation
    if (before === null) return
    isReading = true
    const seen = await kernel.glance(before)
    isReading = false
    if (stopped) return
    // Looked at meanwhile: that decided about it already.
    const isNews = seen.ok && before === state.observation
    if (isNews && hasFirstHandshake(before.readings, seen.value.readings)) answered()
    else looked()
  }

  return {
    looked,
    stop() {
      stopped = true
      timer?.()
    },
  }
}
