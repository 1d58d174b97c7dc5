import { rateLimitKeysMax } from '../model/limits.ts'

/** Lets one event of a kind through in a time. */
export interface RateLimit {
  /** How many of this kind were held back since the last one, or null when this one is to be held back, too. */
  take(key: string): number | null
}

/** `now`: monotonic milliseconds. Kinds are forgotten when there are too many of them. */
export function createRateLimit(seconds: number, now: () => number): RateLimit {
  const kinds = new Map<string, { readonly since: number; suppressed: number }>()
  return {
    take(key) {
      const kind = kinds.get(key)
      if (kind !== undefined && now() - kind.since < seconds * 1000) {
        kind.suppressed += 1
        return null
      }
      if (kind === undefined && kinds.size >= rateLimitKeysMax) kinds.clear()
      kinds.set(key, { since: now(), suppressed: 0 })
      return kind?.suppressed ?? 0
    },
  }
}
