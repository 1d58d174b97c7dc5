import {
  compareText,
  hostPrefix,
  type InterfaceName,
  type Prefix,
  parseIpAddress,
  parsePrefix,
} from '../../model/address.ts'
import { segmentOfTable } from '../guard.ts'
import type { Fields } from './fields.ts'

/** Segments that have a table of this family, by its name. Sorted. */
export function tableSegments(items: readonly Fields[], family: string): readonly InterfaceName[] {
  return items
    .flatMap(({ table }) => {
      const fields = fieldsOf(table)
      const isText = fields.family === family && typeof fields.name === 'string'
      return (isText ? segmentOfTable(String(fields.name)) : null) ?? []
    })
    .sort(compareText)
}

/** The lines of a table in a form of our own: without handles and counts, alike for all versions of nft. */
export function contentOf(items: readonly Fields[], table: string, family = 'inet'): readonly string[] {
  return items
    .flatMap(item => Object.entries(item).slice(0, 1))
    .flatMap(([kind, value]) => {
      const fields = fieldsOf(value)
      return fields.table === table && fields.family === family ? [lineOf(kind, fields)] : []
    })
    .sort()
}

function lineOf(kind: string, fields: Fields): string {
  if (kind === 'chain') {
    const [name, ...rest] = ['name', 'type', 'hook', 'prio', 'policy'].map(key => plain(fields[key]))
    return `chain ${name}: ${rest.join(' ')}`
  }
  // Versions of nft differ in the flags they tell.
  if (kind === 'set')
    return `set ${plain(fields.name)}: ${[fields.type, fields.size, fields.timeout].map(plain).join(' ')}`
  if (kind !== 'rule' || !Array.isArray(fields.expr)) return `${kind} ${JSON.stringify(fields)}`
  const parts = fields.expr.map(expressionText).filter(part => part !== 'counter')
  return `rule ${plain(fields.chain)}: ${parts.join(', ')}`
}

/** Anything may stand in an altered table: what is not understood stays as it is, and then is none of lnet's. */
function expressionText(value: unknown): string {
  const expression = fieldsOf(value)
  if ('counter' in expression) return 'counter'
  for (const verdict of ['drop', 'accept', 'masquerade']) if (verdict in expression) return verdict
  if (JSON.stringify(expression.mangle) === clamping) return 'clamp'
  if ('mangle' in expression) {
    const { key, value: set } = fieldsOf(expression.mangle)
    return `set ${leftText(key)} ${plain(set)}`
  }
  if ('set' in expression) {
    const { op, set, elem } = fieldsOf(expression.set)
    return `${plain(op)} ${plain(set)} ${leftText(elem)}`
  }
  if ('limit' in expression) return limitText(fieldsOf(expression.limit))
  if (!('match' in expression)) return plain(value)
  const { op, left, right } = fieldsOf(expression.match)
  return `${leftText(left)} ${plain(op)} ${rightText(right)}`
}

function limitText({ rate, per, burst, inv }: Fields): string {
  return `limit ${inv === true ? 'over ' : ''}${plain(rate)}/${plain(per)} burst ${plain(burst)}`
}

function leftText(left: unknown): string {
  const [kind, value] = Object.entries(fieldsOf(left))[0] ?? ['', null]
  if (kind === '&' && Array.isArray(value)) return value.map(leftText).join(' & ')
  const fields = fieldsOf(value)
  if (kind === 'meta') return plain(fields.key)
  if (kind === 'ct') return `ct.${plain(fields.key)}`
  if (kind === 'payload') return `${plain(fields.protocol)}.${plain(fields.field)}`
  return plain(left)
}

function rightText(right: unknown): string {
  if (typeof right === 'string') return prefixText(right) ?? right
  const { prefix, set } = fieldsOf(right)
  if (Array.isArray(set)) return `{${set.map(plain).sort().join(' ')}}`
  const { addr, len } = fieldsOf(prefix)
  return prefixText(`${plain(addr)}/${plain(len)}`) ?? plain(right)
}

/** Anything may stand there: what is no object has no fields. */
export function fieldsOf(value: unknown): Fields {
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

/** `tcp option maxseg size set rt mtu` */
const clamping = JSON.stringify({
  key: { 'tcp option': { name: 'maxseg', field: 'size' } },
  value: { rt: { key: 'mtu' } },
})
