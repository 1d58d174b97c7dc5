import { duplicateSecondsMax } from '../model/limits.ts'
import type { NodeId } from '../model/node.ts'

/** A second connection with a node that has one already. */
export interface Duplicate {
  readonly self: NodeId
  readonly other: NodeId
  readonly existing: { readonly direction: 'inbound' | 'outbound'; readonly ageMilliseconds: number }
  readonly coming: 'inbound' | 'outbound'
}

/**
 * Nobody dials a neighbour, so a second connection comes from both dialling at once, and then both sides keep the
 * one the lower id dialled; or the first one is dead and the other side knows, and then the new one replaces it.
 */
export function judgeDuplicate({ self, other, existing, coming }: Duplicate): 'refuse' | 'replace' {
  if (existing.ageMilliseconds >= duplicateSecondsMax * 1000)
    return coming === 'inbound' ? 'replace' : 'refuse'
  if (existing.direction === coming) return coming === 'inbound' ? 'replace' : 'refuse'
  const dialledByLower = (direction: 'inbound' | 'outbound') => (direction === 'outbound') === self < other
  return dialledByLower(coming) ? 'replace' : 'refuse'
}
