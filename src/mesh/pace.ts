import { roundSpacingMilliseconds, roundsAtOnceMax } from '../model/limits.ts'

/** How many rounds may still follow each other at once, and as of when (monotonic milliseconds). */
export interface Pace {
  readonly left: number
  readonly at: number
}

/**
 * Takes a round, or says how long to wait for one, milliseconds. A change is looked at without a delay, and so are
 * several in a row; a flood of them only every half second, however many there are.
 */
export function takeRound(before: Pace | null, now: number): { readonly pace: Pace; readonly wait: number } {
  const known = before ?? { left: roundsAtOnceMax, at: now }
  const left = Math.min(roundsAtOnceMax, known.left + (now - known.at) / roundSpacingMilliseconds)
  if (left >= 1) return { pace: { left: left - 1, at: now }, wait: 0 }
  return { pace: { left, at: now }, wait: Math.ceil((1 - left) * roundSpacingMilliseconds) }
}
