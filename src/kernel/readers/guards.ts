import {
  familyOf,
  hostPrefix,
  type InterfaceName,
  type Prefix,
  parseInterfaceName,
  parseIpAddress,
  parsePort,
  parsePrefix,
} from '../../model/address.ts'
import type { Result } from '../../model/failure.ts'
import type { Guard } from '../../model/kernel-state.ts'
import { guardTable, segmentOfTable } from '../guard.ts'
import { asFields, documents, type Fields, objects, reading, texts } from './fields.ts'

/**
 * All guards by segment, from `nft -j list ruleset inet`. A table that is not, rule for rule, what lnet
 * writes is no guard: then it is written again.
 */
export function readGuards(output: string): Result<ReadonlyMap<InterfaceName, Guard>> {
  return reading('nft', () => {
    const items = objects(asFields(documents(output, 1)[0], 'the ruleset').nftables, 'nftables')
    const found = new Map<InterfaceName, Guard>()
    for (const segment of guardedSegments(items)) {
      const content = contentOf(items, guardTable(segment))
      const guard = guess(content)
      if (guard !== null && isSame(content, expected(guard))) found.set(segment, guard)
    }
    return found
  })
}

/** By the names of the tables. */
function guardedSegments(items: readonly Fields[]): readonly InterfaceName[] {
  return items.flatMap(({ table }) => {
    const { family, name } = fieldsOf(table)
    const segment = family === 'inet' && typeof name === 'string' ? segmentOfTable(name) : null
    return segment === null ? [] : [segment]
  })
}

/** The lines of a table in a form of our own: without handles and counts, alike for all versions of nft. */
function contentOf(items: readonly Fields[], table: string): readonly string[] {
  return items
    .flatMap(item => Object.entries(item).slice(0, 1))
    .flatMap(([kind, value]) => {
      const fields = fieldsOf(value)
      return fields.table === table && fields.family === 'inet' ? [lineOf(kind, fields)] : []
    })
    .sort()
}

function expected({ port, tunnel, vteps }: Guard): readonly string[] {
  const ip = familyOf(vteps) === 4 ? 'ip' : 'ip6'
  const sent = (direction: string) =>
    `rule guard_tx: oifname != ${tunnel}, udp.dport == ${port}, ${ip}.${direction} == ${vteps}, drop`
  return [
    'chain guard_rx: filter prerouting -300 accept',
    'chain guard_tx: filter output -300 accept',
    `rule guard_rx: iifname != ${tunnel}, iifname != lo, udp.dport == ${port}, fib.type.daddr == local, drop`,
    sent('saddr'),
    sent('daddr'),
  ].sort()
}

/** The guard a table would be, were it one. */
function guess(content: readonly string[]): Guard | null {
  for (const line of content) {
    const match =
      /^rule guard_tx: oifname != (\S+), udp\.dport == (\d{1,5}), ip6?\.saddr == (\S+), drop$/.exec(line)
    if (match === null) continue
    const [, name, port, prefix] = match
    const tunnel = parseInterfaceName(name as string)
    const valid = parsePort(Number(port))
    const vteps = parsePrefix(prefix as string)
    if (tunnel !== null && valid !== null && vteps !== null) return { port: valid, tunnel, vteps }
  }
  return null
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((line, index) => line === b[index])
}

function lineOf(kind: string, fields: Fields): string {
  if (kind === 'chain') {
    const [name, ...rest] = ['name', 'type', 'hook', 'prio', 'policy'].map(key => plain(fields[key]))
    return `chain ${name}: ${rest.join(' ')}`
  }
  if (kind !== 'rule' || !Array.isArray(fields.expr)) return `${kind} ${JSON.stringify(fields)}`
  const parts = fields.expr.map(expressionText).filter(part => part !== 'counter')
  return `rule ${plain(fields.chain)}: ${parts.join(', ')}`
}

/** Anything may stand in an altered table: what is not understood stays as it is, and then is no guard. */
function expressionText(value: unknown): string {
  const expression = fieldsOf(value)
  if ('counter' in expression) return 'counter'
  if ('drop' in expression) return 'drop'
  if (!('match' in expression)) return plain(value)
  const { op, left, right } = fieldsOf(expression.match)
  return `${leftText(left)} ${plain(op)} ${rightText(right)}`
}

function leftText(left: unknown): string {
  const [kind, value] = Object.entries(fieldsOf(left))[0] ?? ['', null]
  const fields = fieldsOf(value)
  if (kind === 'meta') return plain(fields.key)
  if (kind === 'payload') return `${plain(fields.protocol)}.${plain(fields.field)}`
  // One flag is a list in some versions of nft, a text in others.
  if (kind === 'fib')
    return `fib.${plain(fields.result)}.${[...texts(fields.flags), ...texts([fields.flags])].join('.')}`
  return plain(left)
}

function rightText(right: unknown): string {
  if (typeof right === 'string') return prefixText(right) ?? right
  const { addr, len } = fieldsOf(fieldsOf(right).prefix)
  return prefixText(`${plain(addr)}/${plain(len)}`) ?? plain(right)
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {}
}

function plain(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
}

/** nft writes the prefix of a single address without its length. */
function prefixText(text: string): Prefix | null {
  const host = parseIpAddress(text)
  return host === null ? parsePrefix(text) : hostPrefix(host)
}
