import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { foreignAmong } from '../../src/kernel/foreign.ts'
import { readAdvertised } from '../../src/kernel/readers/advertised.ts'
import { bridgeStates, readBridges } from '../../src/kernel/readers/bridges.ts'
import { readForwarding } from '../../src/kernel/readers/fdb.ts'
import { documents } from '../../src/kernel/readers/fields.ts'
import { readFilters } from '../../src/kernel/readers/filters.ts'
import { readFloodLimits } from '../../src/kernel/readers/flood-limits.ts'
import { readGateway } from '../../src/kernel/readers/gateway.ts'
import { readGuards } from '../../src/kernel/readers/guards.ts'
import { linkNames, ownLinks } from '../../src/kernel/readers/links.ts'
import { readLoopWatches } from '../../src/kernel/readers/loop-watches.ts'
import { readNeighbours } from '../../src/kernel/readers/neighbours.ts'
import { readDetours, readRoutes } from '../../src/kernel/readers/routes.ts'
import { readRules } from '../../src/kernel/readers/rules.ts'
import type { InterfaceName } from '../../src/model/address.ts'
import { distrusting } from '../../src/model/link-trust.ts'
import { mesh } from './state.ts'

type Item = Record<string, unknown>

function fixture(name: string): string {
  return readFileSync(new URL(`../fixtures/kernel/${name}`, import.meta.url), 'utf8')
}

const mark = `lnet:${mesh}`
const segments = new Set(['vlnet0', 'vlnet-1'] as InterfaceName[])
const [links, routes, neighbours] = documents(fixture('ip.txt'), 3) as [Item[], Item[], Item[]]
const forwarding = JSON.parse(fixture('bridge-fdb.json')) as Item[]
const rules = [
  { priority: 0, src: 'all', table: 'local', protocol: 'kernel' },
  { priority: 20_103, src: 'all', table: '20201', protocol: '201' },
]

/** Whatever a kernel or a tool may put where something else is usual. */
const odd = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    '',
    '00:00:00:00:00:00',
    '80:00:00:48:fe:80:00:00:00:00:00:00:00:02:c9:03:00:4d:ec:f1',
    '::ffff:192.0.2.1',
    'default',
    '0.0.0.0/33',
    'a@b',
    'o\'d"\\',
    'fünfzehn_zeiche',
    -1,
    4_294_967_296,
    [null],
    [[]],
    {},
    { info_kind: null, info_data: [], info_slave_data: 7 },
    true,
  ),
  fc.jsonValue(),
)

/** Somebody else's: like one of the recorded, with fields that are missing or odd, or no object at all. */
function foreign(recorded: readonly Item[], theirs: Item): fc.Arbitrary<unknown> {
  const shape = fc.constantFrom(...recorded)
  const altered = shape.chain(item =>
    fc
      .tuple(fc.subarray(Object.keys(item)), fc.dictionary(fc.constantFrom(...Object.keys(item)), odd))
      .map(([kept, changed]) => ({
        ...Object.fromEntries(kept.map(key => [key, item[key]])),
        ...changed,
        ...theirs,
      })),
  )
  return fc.oneof({ weight: 4, arbitrary: altered }, { weight: 1, arbitrary: odd.filter(isHarmless) })
}

/** Text and lists inside a list are none of the objects that are looked for. */
function isHarmless(value: unknown): boolean {
  return typeof value !== 'object' || value === null || Array.isArray(value)
}

/** What `read` finds is the same whatever stands between. */
function isUnmoved<Found>(recorded: readonly Item[], theirs: Item, read: (items: unknown[]) => Found): void {
  const alone = read([...recorded])
  fc.assert(
    fc.property(fc.array(foreign(recorded, theirs), { maxLength: 6 }), fc.nat(), (others, place) => {
      const at = place % (recorded.length + 1)
      expect(read([...recorded.slice(0, at), ...others, ...recorded.slice(at)])).toEqual(alone)
    }),
    { numRuns: 100 },
  )
}

describe('objects of others, however odd, change nothing', () => {
  it('of our devices and of the names we want', () => {
    const theirs = { ifname: 'x@y', ifalias: null, master: null, link: null }
    isUnmoved(links, theirs, items => [
      ownLinks(items, mark),
      bridgeStates(readBridges(items, mark), new Map(), () => distrusting),
      readAdvertised(items, []),
      foreignAmong(linkNames(items), ['lnet0', 'br-lan'], new Set()),
    ])
    isUnmoved(links, { ifname: null, ifalias: [mark] }, items => ownLinks(items, mark))
  })

  it('of our routes, even under our number', () => {
    const written = routes.map(route => ({ protocol: '201', ...route }))
    for (const theirs of [{ table: 'local' }, { dst: 'none' }, { type: 'throw', gateway: null }])
      isUnmoved(written, theirs, items => [readRoutes(items), readDetours(items)])
  })

  it('of our rules', () => {
    isUnmoved(rules, { protocol: 'boot' }, items => readRules(items))
    isUnmoved(rules, { protocol: '201', priority: null }, items => readRules(items))
  })

  it('of our neighbours', () => {
    isUnmoved(neighbours, { dev: 'x@y' }, items => readNeighbours(items, segments))
    isUnmoved(neighbours, { dev: 7 }, items => readNeighbours(items, segments))
  })

  it('of our forwarding tables', () => {
    isUnmoved(forwarding, { ifname: 'x@y' }, items => readForwarding(JSON.stringify(items), segments))
  })

  it('of our tables', () => {
    const ruleset = JSON.parse(fixture('nft.json')) as { nftables: Item[] }
    const theirs = { chain: null, rule: { family: 'inet', table: 'x' }, table: 'theirs', set: [] }
    isUnmoved(ruleset.nftables, theirs, items => {
      const text = JSON.stringify({ nftables: items })
      return [readGuards, readFloodLimits, readLoopWatches].map(read => read(text))
    })
    isUnmoved(ruleset.nftables, theirs, items => readGateway(JSON.stringify({ nftables: items }), []))
    isUnmoved(ruleset.nftables, theirs, items => readFilters(JSON.stringify({ nftables: items })).ok)
  })
})

describe('names of devices', () => {
  it('may hold what JSON has no place for', () => {
    const line = '[{"ifname":"c\u0001\u001b","ifalias":"it\\\'s \\"\\u00e9\\\\"}]'
    expect(documents(line, 1)).toEqual([[{ ifname: 'c\ufffd\ufffd', ifalias: 'it\'s "é\\' }]])
    expect(() => documents('[{"ifname": ]', 1)).toThrow(SyntaxError)
  })

  it('may be those of bridges without ports, which have no MAC', () => {
    const bridge = { ifname: 'vmbr1', address: '00:00:00:00:00:00', linkinfo: { info_kind: 'bridge' } }
    expect(readBridges([bridge], mark)).toMatchObject([{ interface: 'vmbr1', mac: null, own: false }])
  })
})
