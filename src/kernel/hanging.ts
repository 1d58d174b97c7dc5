import { toolsStuckEverMax, toolsStuckMax, toolsStuckRetrySeconds } from '../model/limits.ts'

/** Tools that did not end though they were killed. They wait inside the kernel, where the next ones would, too. */
export interface Hanging {
  /** How many there are, when no other shall be started now; null when one may be, which then counts as tried. */
  refuses(): number | null
  /** One more, until then. */
  until(closed: Promise<unknown>): void
  /** A tool ran to its end: whatever it was is over, or only their end was not noticed. */
  none(): void
}

/** One tool is tried from time to time, until there are far too many. */
export function countHanging(): Hanging {
  let count = 0
  let triedAt = Number.NEGATIVE_INFINITY
  return {
    refuses() {
      const isTooSoon = performance.now() - triedAt < toolsStuckRetrySeconds * 1000
      if (count >= toolsStuckEverMax || (count >= toolsStuckMax && isTooSoon)) return count
      triedAt = performance.now()
      return null
    },
    until(closed) {
      count += 1
      void closed.then(() => {
        count = Math.max(0, count - 1)
      })
    },
    none() {
      count = 0
    },
  }
}
