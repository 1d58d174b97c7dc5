import {
  neighbourDegree,
  neighboursComfortable,
  surplusSeconds,
  topicStreamsSecondsMax,
} from '../model/limits.ts'
import type { NodeId } from '../model/node.ts'

/** A connection to a neighbour, as upkeep sees it. */
export interface NeighbourLink {
  readonly node: NodeId
  readonly direction: 'inbound' | 'outbound'
  readonly ageMilliseconds: number
  /** It subscribed, and hears what we publish. */
  readonly listens: boolean
  readonly wanted: boolean
}

export type HangUp = { readonly node: NodeId; readonly reason: 'deaf' | 'surplus' }

/**
 * Whom to hang up on: connections that stand without carrying the topic (another dial mends them), and what is more
 * than enough. A surplus link is ended by the side that dialled it, so that two sides never end two links for one;
 * the other side ends links only when it has no room for newcomers.
 */
export function neighboursToHangUp(links: readonly NeighbourLink[]): readonly HangUp[] {
  const deaf = links.filter(link => !link.listens && link.ageMilliseconds > topicStreamsSecondsMax * 1000)
  const sound = links.filter(link => !deaf.includes(link))
  const spare = sound
    .filter(link => !link.wanted && link.ageMilliseconds > surplusSeconds * 1000)
    .sort((a, b) => b.ageMilliseconds - a.ageMilliseconds)
  const dialled = spare.filter(({ direction }) => direction === 'outbound')
  const surplus = dialled.slice(0, Math.max(0, sound.length - neighbourDegree))
  const crowd = spare.filter(({ direction }) => direction === 'inbound')
  const crowded = crowd.slice(0, Math.max(0, sound.length - surplus.length - neighboursComfortable))
  return [
    ...deaf.map(({ node }) => ({ node, reason: 'deaf' as const })),
    ...[...surplus, ...crowded].map(({ node }) => ({ node, reason: 'surplus' as const })),
  ]
}
