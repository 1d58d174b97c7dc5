import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Decision, decide } from '../../src/mesh/decide.ts'
import { diff } from '../../src/mesh/diff.ts'
import { order } from '../../src/mesh/order.ts'
import { type Prefix, prefixesOverlap, prefixOf } from '../../src/model/address.ts'
import type { ForeignNetwork } from '../../src/model/foreign-network.ts'
import { emptyKernelState, type KernelState } from '../../src/model/kernel-state.ts'
import {
  bridgeFacts,
  configuration,
  member,
  observation,
  overlayPrefix,
  segmentConfiguration,
  situation,
  sure,
  tunnelConfiguration,
} from './world.ts'

function network(text: string, changes: Partial<ForeignNetwork> = {}): ForeignNetwork {
  return { network: text as Prefix, device: 'eth0', address: null, isRouted: false, ...changes }
}

interface Given {
  readonly state?: KernelState
  readonly warm?: boolean
  readonly configuration?: ReturnType<typeof configuration>
}

/** What a node decides whose machine has these networks, and two members. */
function decided(networks: readonly ForeignNetwork[], given: Given = {}): Decision {
  const bridges = [bridgeFacts()]
  return decide(
    situation(1, [member(2), member(3)], {
      configuration: given.configuration ?? configuration(1),
      warm: given.warm ?? true,
      observation: observation(given.state, [], bridges, networks),
    }),
  )
}

/** All addresses, routes and neighbours of a state in a network. */
function usesOf(state: KernelState, prefix: Prefix): readonly string[] {
  const bearers = [...state.segments, ...state.bridges]
  return [
    ...[...bearers, ...(state.tunnel === null ? [] : [state.tunnel])].flatMap(({ addresses }) =>
      addresses.filter(address => prefixOf(address) === prefix),
    ),
    ...bearers.flatMap(({ neighbours }) =>
      neighbours
        .filter(({ address }) =>
          prefixesOverlap(`${address}/${address.includes(':') ? 128 : 32}` as Prefix, prefix),
        )
        .map(({ address }) => address),
    ),
    ...state.routes.filter(route => route.prefix === prefix).map(route => `${route.prefix} ${route.device}`),
  ]
}

const alone = sure(decided([]).desired)
const vteps = sure(alone.routes.find(({ device }) => device === 'lnet0')).prefix

describe('a network of this machine', () => {
  it.each([
    ['the same', '192.168.102.0/24'],
    ['around ours', '192.168.0.0/16'],
    ['inside ours', '192.168.102.128/25'],
    ['one address', '192.168.102.1/32'],
  ])('that is %s keeps lnet out of its own, and out of nothing else', (_, text) => {
    for (const isRouted of [false, true]) {
      const { desired, overlaps } = decided([network(text, { isRouted })])
      expect(overlaps).toMatchObject([{ prefix: overlayPrefix, interface: 'vlnet0', isKept: false }])
      expect(usesOf(alone, overlayPrefix)).not.toEqual([])
      expect(usesOf(sure(desired), overlayPrefix)).toEqual([])
      const [segment] = sure(desired).segments
      expect(segment?.flood).toEqual(alone.segments[0]?.flood)
      expect(segment?.addresses.length).toBe(1)
      expect(sure(desired).tunnel).toEqual(alone.tunnel)
    }
  })

  it('elsewhere, or of the other family, changes nothing', () => {
    for (const text of ['192.168.103.0/24', '10.0.0.0/8', 'c0a8:6600::/24'])
      expect(decided([network(text)])).toMatchObject({ desired: alone, overlaps: [] })
  })

  it('on the bridge of a segment is the segment, and an address there stays the operator’s', () => {
    const segment = segmentConfiguration({
      bridge: { name: 'br0' as never, create: false, allowLoopRisk: false },
    })
    const config = configuration(1, { segments: [segment] })
    const free = decided([], { configuration: config })
    const own = sure(sure(free.desired).bridges[0]?.addresses.find(address => address.startsWith('192.')))
    const address = own.split('/')[0] as never
    const both = decided([network('192.168.102.0/24', { device: 'br0', address })], { configuration: config })
    expect(both.overlaps).toEqual([])
    expect(sure(both.desired).bridges[0]?.addresses).not.toContain(own)
    expect(sure(both.desired).bridges[0]?.neighbours).toEqual(sure(free.desired).bridges[0]?.neighbours)
  })

  it('that is the tunnel’s leaves the kernel alone, or a running tunnel with its sessions', () => {
    const lan = [network('10.66.0.0/16')]
    const config = configuration(1, { tunnel: tunnelConfiguration({ prefix: '10.66.1.0/24' as Prefix }) })
    const free = sure(decided([], { configuration: config }).desired)
    expect(decided(lan, { configuration: config })).toMatchObject({ plan: [], desired: emptyKernelState })
    const { plan, desired } = decided(lan, { configuration: config, state: free, warm: false })
    expect(desired?.tunnel).toEqual({ ...free.tunnel, addresses: [] })
    expect(desired?.segments).toEqual(free.segments)
    expect(plan.map(({ kind }) => kind).toSorted()).toEqual([
      'address.remove',
      'route.remove',
      'route.remove',
    ])
  })
})

describe('what came after the mesh', () => {
  it('takes it away at once, even before the mesh was heard', () => {
    const { plan } = decided([network('192.168.102.0/24')], { state: alone, warm: false })
    expect(plan.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['route.remove', 'address.remove']))
    expect(decided([], { state: alone }).plan).toEqual([])
  })

  it('and is a larger network behind a router leaves it where it is', () => {
    const { plan, overlaps } = decided([network('192.168.0.0/16', { isRouted: true })], { state: alone })
    expect(plan).toEqual([])
    expect(overlaps).toMatchObject([{ prefix: overlayPrefix, isKept: true }])
    const both = [network('192.168.0.0/16', { isRouted: true }), network('192.168.102.7/32')]
    expect(decided(both, { state: alone }).overlaps).toMatchObject([{ isKept: false }])
  })
})

it('what a former version set goes after what takes its place', () => {
  const former = {
    ...alone,
    routes: alone.routes.map(route => (route.device === null ? route : { ...route, metric: 1024 })),
  }
  const steps = order(diff(alone, former), 'lnet0')
  const kinds = steps.map(({ kind }) => kind)
  expect(kinds.filter(kind => kind === 'route.add').length).toBe(former.routes.length - 1)
  expect(kinds.lastIndexOf('route.add')).toBeLessThan(kinds.indexOf('route.remove'))
})

it('no foreign network ever shares an address with what is wanted', () => {
  const prefixes = fc
    .tuple(
      fc.constantFrom('192.168.102', '192.168.0', '10.1.2', '192.168.103'),
      fc.nat(255),
      fc.integer({ min: 8, max: 32 }),
    )
    .map(([start, last, length]) => prefixOf(`${start}.${last}/${length}` as never))
  fc.assert(
    fc.property(fc.array(prefixes, { maxLength: 4 }), list => {
      const { desired } = decided(list.map(text => network(text)))
      const routes = sure(desired).routes.filter(({ prefix }) => prefix !== vteps)
      for (const { prefix } of routes)
        for (const foreign of list) expect(prefixesOverlap(prefix, foreign)).toBe(false)
    }),
    { numRuns: 100 },
  )
})
