import {
  type InterfaceName,
  type IpAddress,
  parseInterfaceName,
  parseIpAddress,
  parsePort,
  parsePrefix,
  sortedByAddress,
} from '../../model/address.ts'
import type { Result } from '../../model/failure.ts'
import type { Guard } from '../../model/guard.ts'
import { guardContent, guardTable } from '../guard.ts'
import { asFields, documents, objects, reading } from './fields.ts'
import { contentOf, tableSegments } from './ruleset.ts'

/**
 * All guards by segment, from `nft -j list ruleset inet`. A table that is not, rule for rule, what lnet
 * writes is no guard: then it is written again.
 */
export function readGuards(output: string): Result<ReadonlyMap<InterfaceName, Guard>> {
  return reading('nft', () => {
    const items = objects(asFields(documents(output, 1)[0], 'the ruleset').nftables, 'nftables')
    const found = new Map<InterfaceName, Guard>()
    for (const segment of tableSegments(items, 'inet')) {
      const content = contentOf(items, guardTable(segment))
      const guard = guess(content)
      if (guard !== null && isSame(content, guardContent(guard))) found.set(segment, guard)
    }
    return found
  })
}

/** The guard a table would be, were it one. */
function guess(content: readonly string[]): Guard | null {
  const privileged = content.some(line => /^rule guard_tx: .*udp\.sport >= /.test(line))
  for (const line of content) {
    const match =
      /^rule guard_tx: udp\.dport == (\d{1,5}), oifname != (\S+), ip6?\.saddr == (\S+), drop$/.exec(line)
    if (match === null) continue
    const [, port, name, prefix] = match
    const tunnel = parseInterfaceName(name as string)
    const valid = parsePort(Number(port))
    const vteps = parsePrefix(prefix as string)
    if (tunnel !== null && valid !== null && vteps !== null)
      return { port: valid, tunnel, vteps, privileged, exempt: exemptIn(content) }
  }
  return null
}

/** Those named in the rule about source ports; null where there is no such rule. */
function exemptIn(content: readonly string[]): readonly IpAddress[] | null {
  const rule =
    /^rule guard_rx: udp\.dport == \d+, udp\.sport >= \d+(?:, ip6?\.saddr != (?:\{(.*)\}|(\S+)))?, drop$/
  const found = content.map(line => rule.exec(line)).find(match => match !== null)
  if (found === undefined) return null
  const [, several = '', one = ''] = found
  const texts = several === '' ? [one.replace(/\/.*/, '')] : several.split(' ')
  return sortedByAddress(
    texts.flatMap(text => parseIpAddress(text) ?? []),
    address => address,
  )
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((line, index) => line === b[index])
}
