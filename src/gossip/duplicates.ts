import { duplicateMillisecondsMax } from '../model/limits.ts'
import type { NodeId } from '../model/node.ts'

type Direction = 'inbound' | 'outbound'

/** A second connection with a node that has one already. */
export interface Duplicate {
  readonly self: NodeId
  readonly other: NodeId
  readonly existing: Direction
  readonly coming: Direction
  /** How much later than the existing one its TCP stood, milliseconds; less than nothing when it only took longer. */
  readonly laterMilliseconds: number
}

/**
 * Which of two connections stays; both sides see the same two, and must judge alike, or they end both.
 *
 * | the second stood | existing, coming | it is | stays |
 * | --- | --- | --- | --- |
 * | long after the first | any | of one who knows that the first is dead, or of another machine with its keys | the second |
 * | at about the same time | in and out | both dialled at once | the one the lower id dialled |
 * | at about the same time | the same twice | one side dialled two of the other's places | the first |
 */
export function judgeDuplicate(duplicate: Duplicate): 'refuse' | 'replace' {
  const { self, other, existing, coming, laterMilliseconds } = duplicate
  if (laterMilliseconds >= duplicateMillisecondsMax) return 'replace'
  if (existing === coming) return 'refuse'
  return (coming === 'outbound') === self < other ? 'replace' : 'refuse'
}
