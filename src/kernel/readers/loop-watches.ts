import { compareText, type InterfaceName, parseInterfaceName } from '../../model/address.ts'
import type { Result } from '../../model/failure.ts'
import type { LoopWatch } from '../../model/loop-watch.ts'
import { guardTable } from '../guard.ts'
import { loopWatchContent } from '../loop-watch.ts'
import { asFields, documents, objects, reading } from './fields.ts'
import { contentOf, tableSegments } from './ruleset.ts'

/** All watches for loops, sorted by segment, from `nft -j list ruleset bridge`; an altered one has no ports. */
export function readLoopWatches(output: string): Result<readonly LoopWatch[]> {
  return reading('nft', () => {
    const items = objects(asFields(documents(output, 1)[0], 'the ruleset').nftables, 'nftables')
    return tableSegments(items, 'bridge').map(segment =>
      watchOf(segment, contentOf(items, guardTable(segment), 'bridge')),
    )
  })
}

function watchOf(segment: InterfaceName, content: readonly string[]): LoopWatch {
  const ports = content
    .flatMap(line => parseInterfaceName(/^rule watch: iifname == (\S+), /.exec(line)?.[1] ?? '') ?? [])
    .sort(compareText)
  const watch = { interface: segment, ports }
  return loopWatchContent(watch).join('\n') === content.join('\n') ? watch : { ...watch, ports: [] }
}
