import { isSameHash } from '../mesh/exchange.ts'
import { syncCascadeMillisecondsMax, syncCascadeMillisecondsMin } from '../model/limits.ts'
import type { NodeId } from '../model/node.ts'
import type { ExchangeHandlers } from './exchange.ts'

/** News that came by sync did not come by the topic: the other neighbours may lack them too. */
export interface Cascade {
  /** The daemon's side of an exchange, with an eye on whether it brings news from that neighbour. */
  from(source: NodeId): ExchangeHandlers
  stop(): void
}

/** `passOn` is called a moment after news came, once for all of them, with the neighbours that have them all. */
export function cascadeTo(
  handlers: ExchangeHandlers,
  random: () => number,
  passOn: (informed: ReadonlySet<NodeId>) => void,
): Cascade {
  const { sync } = handlers
  const sources = new Set<NodeId>()
  let timer: NodeJS.Timeout | null = null
  const flush = () => {
    timer = null
    // News from two sides: each of them lacks the other's.
    passOn(sources.size === 1 ? new Set(sources) : new Set())
    sources.clear()
  }
  const noteNews = (source: NodeId) => {
    const span = syncCascadeMillisecondsMax - syncCascadeMillisecondsMin
    sources.add(source)
    timer ??= setTimeout(flush, syncCascadeMillisecondsMin + random() * span)
  }
  return {
    from: source => ({
      refused: reason => handlers.refused(reason, source),
      sync: {
        setHash: () => sync.setHash(),
        digest: () => sync.digest(),
        envelopes: nodes => sync.envelopes(nodes),
        admit: entries => {
          const before = sync.setHash()
          sync.admit(entries, source)
          if (!isSameHash(before, sync.setHash())) noteNews(source)
        },
      },
    }),
    stop: () => {
      if (timer !== null) clearTimeout(timer)
    },
  }
}
