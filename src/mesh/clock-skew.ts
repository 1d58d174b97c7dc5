import type { Announcement } from '../model/announcement.ts'
import { clockSkewSecondsMax } from '../model/limits.ts'

/**
 * By how many seconds this machine's clock is behind, at least: nobody can have claimed an address in the future. Zero
 * where nothing tells of it. The other clock may be the wrong one, so that more than one member has to agree where
 * there are several.
 */
export function clockBehindSeconds(others: readonly Announcement[], wallSeconds: number): number {
  const leads = others
    .map(({ vtepClaim, segments }) => {
      const claims = [vtepClaim, ...segments.flatMap(({ addresses }) => addresses)]
      return Math.max(...claims.map(({ since }) => since)) - wallSeconds
    })
    .sort((a, b) => b - a)
  const agreed = leads[Math.min(1, leads.length - 1)] ?? 0
  return agreed > clockSkewSecondsMax ? agreed : 0
}
