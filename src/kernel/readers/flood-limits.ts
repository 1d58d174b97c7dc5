import type { InterfaceName } from '../../model/address.ts'
import type { Result } from '../../model/failure.ts'
import type { FloodReading } from '../../model/kernel-state.ts'
import { floodLimitContent } from '../flood-limit.ts'
import { guardTable } from '../guard.ts'
import { asFields, documents, type Fields, objects, reading } from './fields.ts'
import { contentOf, fieldsOf, tableSegments } from './ruleset.ts'

export interface FloodLimits {
  /** Frames per second by segment; 0 for a table that is not, rule for rule, what lnet writes. */
  readonly limits: ReadonlyMap<InterfaceName, number>
  /** Sorted by interface. */
  readonly floods: readonly FloodReading[]
}

/** All flood limits and what they dropped, from `nft -j list ruleset netdev`. */
export function readFloodLimits(output: string): Result<FloodLimits> {
  return reading('nft', () => {
    const items = objects(asFields(documents(output, 1)[0], 'the ruleset').nftables, 'nftables')
    const segments = tableSegments(items, family)
    return {
      limits: new Map(
        segments.map(segment => [segment, limitOf(contentOf(items, guardTable(segment), family))]),
      ),
      floods: segments.map(segment => ({
        interface: segment,
        droppedFrames: droppedFrames(items, guardTable(segment)),
      })),
    }
  })
}

const family = 'netdev'

/** The limit a table would have, were it one of lnet's; 0 when it is none. */
function limitOf(content: readonly string[]): number {
  const rates = content.flatMap(line => /^rule \w+: limit (\d{1,9})\/second /.exec(line)?.[1] ?? [])
  const framesPerSecond = Number(rates[0] ?? 0)
  return floodLimitContent(framesPerSecond).join('\n') === content.join('\n') ? framesPerSecond : 0
}

function droppedFrames(items: readonly Fields[], table: string): number {
  return items
    .map(({ rule }) => fieldsOf(rule))
    .filter(rule => rule.family === family && rule.table === table)
    .flatMap(({ expr }) => (Array.isArray(expr) && expr.some(isDrop) ? expr : []))
    .map(expression => fieldsOf(fieldsOf(expression).counter).packets)
    .reduce<number>((sum, packets) => (Number.isSafeInteger(packets) ? sum + Number(packets) : sum), 0)
}

function isDrop(expression: unknown): boolean {
  return 'drop' in fieldsOf(expression)
}
