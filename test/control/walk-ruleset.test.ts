import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Probe } from '../../src/control/walk-conditions.ts'
import { obstacleTo } from '../../src/control/walk-ruleset.ts'
import { readFilters } from '../../src/kernel/readers/filters.ts'
import { sentenceOf } from '../../src/model/explanation.ts'
import type { Condition, ConditionField, FilterChain, Ruleset, Verdict } from '../../src/model/ruleset.ts'

/** What real firewalls wrote, by `nft --json list ruleset`. */
function rulesetOf(name: string): Ruleset {
  const file = new URL(`../fixtures/kernel/nft-filters-${name}.json`, import.meta.url)
  const read = readFilters(readFileSync(file, 'utf8'))
  if (!read.ok) throw new Error(sentenceOf(read.failure))
  return read.value
}

/** `udp 51820 from eth0 to eth1 ipv6`; without `from` it comes from outside. */
function probe(text: string): Probe {
  const word = (pattern: RegExp) => pattern.exec(text)?.[1] ?? null
  const to = word(/ to (\S+)/)
  const port = word(/^\w+ (\d+)/)
  return {
    hook: to === null ? 'input' : 'forward',
    family: text.endsWith('ipv6') ? 6 : 4,
    protocol: word(/^(\w+)/) as Probe['protocol'],
    port: port === null ? null : Number(port),
    from: word(/ from (\S+)/),
    to,
    ours: ['lnet0', 'vlnet0'],
    sources: [],
  }
}

describe('the filters of', () => {
  it.each([
    ['ufw', 'udp 51820', null],
    ['ufw', 'tcp 51821', 'ip filter INPUT'],
    ['ufw', 'tcp 51821 ipv6', null],
    ['ufw', 'udp 4789 from lnet0', 'ip filter INPUT'],
    // It lets some ICMP in, and does not tell in JSON which.
    ['ufw', 'icmp from vlnet0', 'perhaps ip filter INPUT'],
    ['ufw', 'icmp from vlnet0 to eth0', 'ip filter FORWARD'],
    ['docker', 'udp 51820', null],
    ['docker', 'icmp from vlnet0 to eth0', 'ip filter FORWARD'],
    ['docker', 'icmp from br0 to br0', 'ip filter FORWARD'],
    ['docker', 'icmp from docker0 to eth0', null],
    ['docker', 'icmp from vlnet0 to docker0', 'ip filter FORWARD'],
    ['firewalld', 'udp 51820', 'inet firewalld filter_IN_public'],
    ['firewalld', 'udp 51820 ipv6', 'inet firewalld filter_IN_public'],
    ['firewalld', 'tcp 51821', null],
    ['firewalld', 'udp 4789 from lnet0 ipv6', 'inet firewalld filter_IN_public'],
    ['firewalld', 'icmp from vlnet0', null],
    ['firewalld', 'icmp from vlnet0 to eth0', 'inet firewalld filter_FWD_public'],
    ['hand', 'udp 51820', null],
    ['hand', 'udp 51820 ipv6', null],
    ['hand', 'tcp 51821', null],
    ['hand', 'tcp 51822 ipv6', 'inet filter input'],
    ['hand', 'tcp 51822', 'perhaps inet filter input'],
    ['hand', 'udp 500', 'ip lnetwork mine'],
    ['hand', 'udp 4789 from lnet0', 'ip lnetwork mine'],
    ['hand', 'udp 4789 from lnet0 ipv6', null],
    ['hand', 'icmp from vlnet0', null],
    ['hand', 'icmp from vlnet0 to eth1', 'inet filter forward'],
    ['hand', 'icmp from vlnet0 to eth0', 'perhaps inet filter forward'],
  ])('%s, asked for %s', (name, text, expected) => {
    const obstacle = obstacleTo(rulesetOf(name), probe(text))
    const told = obstacle === null ? null : `${obstacle.isSure ? '' : 'perhaps '}${obstacle.chain}`
    expect(told).toBe(expected)
  })

  it('lnet itself are passed over, and no others', () => {
    const tables = new Set(rulesetOf('hand').chains.map(({ table }) => table))
    expect([...tables].sort()).toEqual(['filter', 'lnetwork'])
  })
})

const names = ['a', 'b', 'c']
const verdict = fc.oneof(
  fc.constantFrom<Verdict>({ kind: 'accept' }, { kind: 'drop' }, { kind: 'return' }),
  fc.record({ kind: fc.constantFrom('jump' as const, 'goto' as const), chain: fc.constantFrom(...names) }),
)
const condition: fc.Arbitrary<Condition> = fc.record({
  field: fc.constantFrom<ConditionField>('iifname', 'udp.dport', 'ct.state', 'conntrack', 'ip6', 'other'),
  values: fc.array(fc.constantFrom('lo', 'eth0', '51820', '1-60000', 'new'), { maxLength: 2 }),
  negated: fc.boolean(),
  isWhole: fc.boolean(),
})
const rule = fc.record({ conditions: fc.array(condition, { maxLength: 2 }), verdict })
const chains = fc.tuple(...names.map(name => chainNamed(name)))

function chainNamed(name: string): fc.Arbitrary<FilterChain> {
  return fc.record({
    family: fc.constant('inet' as const),
    table: fc.constant('t'),
    name: fc.constant(name),
    hook: fc.constant(name === 'a' ? ('input' as const) : null),
    policy: fc.constantFrom('accept' as const, 'drop' as const),
    rules: fc.array(rule, { maxLength: 6 }),
  })
}

describe('a walk', () => {
  it('ends, whatever leads where', () => {
    fc.assert(
      fc.property(chains, given => {
        const obstacle = obstacleTo({ chains: given }, probe('udp 51820'))
        expect(obstacle === null || obstacle.base === 'inet t a').toBe(true)
      }),
    )
  })

  it('is stopped by nothing where all is accepted and nothing dropped', () => {
    fc.assert(
      fc.property(chains, given => {
        const harmless = given.map(chain => ({
          ...chain,
          policy: 'accept' as const,
          rules: chain.rules.filter(each => each.verdict.kind !== 'drop'),
        }))
        expect(obstacleTo({ chains: harmless }, probe('udp 51820'))).toBeNull()
      }),
    )
  })

  it('is surely stopped where nothing is accepted', () => {
    fc.assert(
      fc.property(chains, given => {
        // nft takes no chains that lead back.
        const leadsOn = (name: string, to: Verdict) => !('chain' in to) || to.chain > name
        const closed = given.map(chain => ({
          ...chain,
          policy: 'drop' as const,
          rules: chain.rules.filter(
            each => each.verdict.kind !== 'accept' && leadsOn(chain.name, each.verdict),
          ),
        }))
        expect(obstacleTo({ chains: closed }, probe('udp 51820'))).toMatchObject({ isSure: true })
      }),
    )
  })
})

describe('what nft says', () => {
  it('is read, or said to be unreadable', () => {
    const text = fc.oneof(
      fc.string(),
      fc.json(),
      fc
        .array(fc.record({ rule: fc.jsonValue(), chain: fc.jsonValue() }, { requiredKeys: [] }))
        .map(nftables => JSON.stringify({ nftables })),
      fc.array(fc.jsonValue()).map(expr => {
        const place = { family: 'inet', table: 't' }
        return JSON.stringify({
          nftables: [{ chain: { ...place, name: 'c' } }, { rule: { ...place, chain: 'c', expr } }],
        })
      }),
    )
    fc.assert(
      fc.property(text, said => {
        const read = readFilters(said)
        expect(read.ok || sentenceOf(read.failure).includes('nft')).toBe(true)
      }),
    )
  })
})
