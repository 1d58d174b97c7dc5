import { neighbourProbeSeconds, neighbourSilenceSecondsMax } from '../model/limits.ts'

/** A connection as it is exchanged on. Times are monotonic milliseconds. */
export interface SyncLink {
  readonly direction: 'inbound' | 'outbound'
  readonly heardAt: number
}

/** Those that were silent for so long that they may be dead; the side that dialled asks first. */
export function overdueLinks<Link extends SyncLink>(links: readonly Link[], now: number): readonly Link[] {
  return links.filter(({ direction, heardAt }) => {
    const seconds = direction === 'outbound' ? neighbourProbeSeconds : neighbourSilenceSecondsMax
    return now - heardAt > seconds * 1000
  })
}

/**
 * Whose turn is next: the one not heard for longest, so that hardly any is ever overdue. Of those we dialled, if there
 * are any: the other side asks on the others, over a stream that is open already.
 */
export function nextLink<Link extends SyncLink>(links: readonly Link[]): Link | undefined {
  const dialled = links.filter(({ direction }) => direction === 'outbound')
  return (dialled.length > 0 ? dialled : links).toSorted((a, b) => a.heardAt - b.heardAt)[0]
}
