import type { Result } from '../../model/failure.ts'
import { filterRulesMax } from '../../model/limits.ts'
import {
  type Condition,
  type ConditionField,
  type FilterChain,
  type FilterRule,
  filterHooks,
  type Ruleset,
  type Verdict,
} from '../../model/ruleset.ts'
import { gatewayTable } from '../gateway.ts'
import { segmentOfTable } from '../guard.ts'
import { asFields, documents, type Fields, objects, reading, unreadable } from './fields.ts'
import { fieldsOf } from './ruleset.ts'

/** The filters of `nft --json list ruleset` that are somebody else's. What is not understood of a rule is said in it. */
export function readFilters(output: string): Result<Ruleset> {
  return reading('nft', () => {
    const items = objects(asFields(documents(output, 1)[0], 'the ruleset').nftables, 'nftables')
    const rules = items.flatMap(({ rule }) => (rule === undefined ? [] : [fieldsOf(rule)]))
    if (rules.length > filterRulesMax) unreadable(`more than ${filterRulesMax} rules`)
    const byChain = Map.groupBy(rules, keyOf)
    const named = namedSets(items)
    return {
      chains: items.flatMap(({ chain }) => {
        const fields = fieldsOf(chain)
        const family = familyOf(fields)
        return family === null || isOurs(fields) ? [] : [chainOf(fields, family, byChain, named)]
      }),
    }
  })
}

function familyOf({ family }: Fields): FilterChain['family'] | null {
  return family === 'ip' || family === 'ip6' || family === 'inet' || family === 'netdev' ? family : null
}

function isOurs({ family, table }: Fields): boolean {
  if (family !== 'inet' && family !== 'netdev') return false
  return table === gatewayTable || segmentOfTable(String(table)) !== null
}

function keyOf({ family, table, chain }: Fields): string {
  return `${family} ${table} ${chain}`
}

function chainOf(
  fields: Fields,
  family: FilterChain['family'],
  rules: ReadonlyMap<string, readonly Fields[]>,
  named: NamedSets,
): FilterChain {
  const { table, name, type, hook, policy, dev } = fields
  const found = filterHooks.find(each => each === hook)
  // Those of type nat see first packets, and drop none but by a rule that says so; a route is chosen again.
  const isFilter = found !== undefined && (type === 'filter' || type === 'route')
  const setOf = (name: string) => named.get(`${family} ${table} ${name}`) ?? null
  return {
    family,
    table: String(table),
    name: String(name),
    hook: isFilter ? found : null,
    ...(dev === undefined ? {} : { devices: (Array.isArray(dev) ? dev : [dev]).map(String) }),
    policy: policy === 'drop' ? 'drop' : 'accept',
    rules: (rules.get(keyOf({ ...fields, chain: name })) ?? []).flatMap(({ expr }) =>
      Array.isArray(expr) ? rulesOf(expr.map(fieldsOf), setOf) : [],
    ),
  }
}

type NamedSets = ReadonlyMap<string, readonly unknown[]>
/** The elements of a named set or map of the rule's table; null where there is none. */
type SetOf = (name: string) => readonly unknown[] | null

function namedSets(items: readonly Fields[]): NamedSets {
  return new Map(
    items.flatMap(({ set, map }) => {
      const { family, table, name, elem } = fieldsOf(set ?? map)
      if (name === undefined) return []
      return [[`${family} ${table} ${name}`, Array.isArray(elem) ? elem : []] as const]
    }),
  )
}

/** A verdict map is as many rules as it has keys. */
function rulesOf(expressions: readonly Fields[], setOf: SetOf): readonly FilterRule[] {
  const conditions = expressions.flatMap(expression => conditionsOf(expression, setOf))
  const verdict = expressions.map(verdictOf).find(each => each !== null)
  if (verdict !== undefined) return [{ conditions, verdict }]
  const map = expressions.find(expression => 'vmap' in expression)
  if (map === undefined) return []
  const { key, data } = fieldsOf(map.vmap)
  const { set } = fieldsOf(data)
  const pairs = typeof data === 'string' && data.startsWith('@') ? setOf(data.slice(1)) : set
  return (Array.isArray(pairs) ? pairs : []).flatMap((pair: unknown) => {
    const [value, leads] = Array.isArray(pair) ? pair : []
    const decided = verdictOf(fieldsOf(leads))
    return decided === null
      ? []
      : [{ conditions: [...conditions, condition(key, '==', value, setOf)], verdict: decided }]
  })
}

function verdictOf(expression: Fields): Verdict | null {
  if ('accept' in expression) return { kind: 'accept' }
  if ('drop' in expression || 'reject' in expression) return { kind: 'drop' }
  if ('return' in expression) return { kind: 'return' }
  for (const kind of ['jump', 'goto'] as const)
    if (kind in expression) return { kind, chain: String(fieldsOf(expression[kind]).target) }
  const { type, name } = fieldsOf(expression.xt)
  return type === 'target' && (name === 'REJECT' || name === 'DROP') ? { kind: 'drop' } : null
}

/** Counts, logs and marks decide nothing. */
function conditionsOf(expression: Fields, setOf: SetOf): readonly Condition[] {
  if ('match' in expression) {
    const { op, left, right } = fieldsOf(expression.match)
    return [condition(left, op, right, setOf)]
  }
  const { type, name } = fieldsOf(expression.xt)
  if (type === 'match' && name !== 'comment')
    return [
      {
        ...unknown(name === 'conntrack' || name === 'state' ? 'conntrack' : 'other'),
        about: `match ${name}`,
      },
    ]
  return 'limit' in expression || 'ct count' in expression ? [unknown('other')] : []
}

function condition(left: unknown, op: unknown, right: unknown, setOf: SetOf): Condition {
  const field = fieldOf(left)
  if (!['==', 'in', '!='].includes(String(op)) || field === 'other') return unknown('other')
  const { set } = fieldsOf(right)
  const elements = typeof right === 'string' && right.startsWith('@') ? setOf(right.slice(1)) : null
  const given = elements ?? (Array.isArray(set) ? set : Array.isArray(right) ? right : [right])
  const values = given.flatMap(valueText)
  return { field, values, negated: op === '!=', isWhole: values.length === given.length }
}

function unknown(field: ConditionField): Condition {
  return { field, values: [], negated: false, isWhole: false }
}

function fieldOf(left: unknown): ConditionField {
  const { meta, ct, payload } = fieldsOf(left)
  const { key } = fieldsOf(meta ?? ct)
  if (meta !== undefined) return metaFields[String(key)] ?? 'other'
  if (ct !== undefined) return key === 'state' ? 'ct.state' : key === 'status' ? 'ct.status' : 'other'
  const { protocol, field } = fieldsOf(payload)
  return payloadFields[`${protocol}.${field}`] ?? payloadFields[String(protocol)] ?? 'other'
}

const metaFields: Readonly<Record<string, ConditionField>> = {
  iif: 'iifname',
  iifname: 'iifname',
  oif: 'oifname',
  oifname: 'oifname',
  l4proto: 'l4proto',
  nfproto: 'nfproto',
}

const payloadFields: Readonly<Record<string, ConditionField>> = {
  'ip.protocol': 'l4proto',
  'ip6.nexthdr': 'l4proto',
  'udp.dport': 'udp.dport',
  'tcp.dport': 'tcp.dport',
  'th.dport': 'th.dport',
  'ip.saddr': 'ip.saddr',
  'ip6.saddr': 'ip6.saddr',
  ip: 'ip',
  ip6: 'ip6',
  icmp: 'icmp',
  icmpv6: 'icmp',
}

function valueText(value: unknown): readonly string[] {
  if (typeof value === 'number') return [String(value)]
  // A set that has a name is told elsewhere.
  if (typeof value === 'string') return value.startsWith('@') ? [] : [value]
  const { range, prefix, elem } = fieldsOf(value)
  if (prefix !== undefined) {
    const { addr, len } = fieldsOf(prefix)
    return [`${addr}/${len}`]
  }
  // An element with a timeout, a counter or a comment.
  if (elem !== undefined) return valueText(fieldsOf(elem).val)
  return Array.isArray(range) ? [range.join('-')] : []
}
