import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readFacts } from '../../src/host/facts.ts'
import { defaultRouteDevices, findFacts, type UnderlayTexts } from '../../src/host/underlay.ts'
import type { InterfaceName } from '../../src/model/address.ts'
import type { DeviceKind, Facts } from '../../src/model/facts.ts'

const noInterfaces: ReadonlySet<InterfaceName> = new Set()
const ours: ReadonlySet<InterfaceName> = new Set(['lnet0', 'vlnet0'] as InterfaceName[])
const routeHeader = 'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n'
const route = `${routeHeader}eth0\t00000000\t010200C0\t0003\t0\t0\t100\t00000000\t0\t0\t0
wlan0\t00000000\t0102000A\t0003\t0\t0\t600\t00000000\t0\t0\t0
eth0\t000200C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0
`
const zero = '0'.repeat(32)
const ipv6Route = `fd000000000000000000000000000000 40 ${zero} 00 ${zero} 00000100 00000001 00000000 00000001     eth0
${zero} 00 ${zero} 00 fe800000000000000000000000000001 00000400 00000002 00000000 00000003    ppp0
${zero} 00 ${zero} 00 ${zero} ffffffff 00000001 00000000 00200200       lo
`
const machine: UnderlayTexts = {
  addresses: [
    { interface: 'wlan0', cidr: '10.0.2.7/24' },
    { interface: 'eth0', cidr: '192.0.2.2/24' },
    { interface: 'eth0', cidr: '2001:db8::5/64' },
    { interface: 'eth0', cidr: '2001:db8::bad/64' },
    { interface: 'eth0', cidr: 'fe80::1/64' },
    { interface: 'br0', cidr: '192.168.7.1/24' },
    { interface: 'docker0', cidr: '172.17.0.1/16' },
    { interface: 'lnet0', cidr: '192.168.228.1/24' },
    { interface: 'vlnet0', cidr: '192.168.102.1/24' },
    { interface: 'eth0', cidr: 'nonsense' },
  ],
  route,
  ipv6Route,
  ifInet6: `20010db8000000000000000000000005 02 40 00 00     eth0
20010db8000000000000000000000bad 02 40 00 01     eth0
`,
  mtus: new Map([
    ['eth0', 1500],
    ['ppp0', 1492],
    ['wlan0', 1280],
    ['br0', 9000],
  ]),
  kinds: new Map<string, DeviceKind>([
    ['docker0', 'container'],
    ['br0', 'virtual'],
  ]),
  inUse: new Set(),
}

describe('the facts of a machine', () => {
  it('are the addresses others may reach it at, and the MTU of its way out', () => {
    expect(findFacts(machine, ours)).toEqual({
      addresses: [
        { address: '192.0.2.2', network: '192.0.2.0/24', interface: 'eth0', kind: 'physical' },
        { address: '2001:db8::5', network: '2001:db8::/64', interface: 'eth0', kind: 'physical' },
        { address: '10.0.2.7', network: '10.0.2.0/24', interface: 'wlan0', kind: 'physical' },
        { address: '192.168.7.1', network: '192.168.7.0/24', interface: 'br0', kind: 'virtual' },
      ],
      pathMtu: 1492,
      waysOut: ['eth0', 'ppp0'],
    })
  })

  it('take the least MTU of the interfaces when there is no way out', () => {
    expect(findFacts({ ...machine, route: '', ipv6Route: '' }, ours).pathMtu).toBe(1280)
  })

  it('do not take our own tunnel for the way out', () => {
    const texts = { ...machine, route: route.replaceAll('eth0', 'lnet0'), ipv6Route: '' }
    expect(findFacts(texts, ours).pathMtu).toBe(1280)
  })

  it('are Ethernet’s when nothing can be read', () => {
    const nothing = {
      addresses: [],
      route: '',
      ipv6Route: '',
      ifInet6: '',
      mtus: new Map(),
      kinds: new Map(),
      inUse: new Set<never>(),
    }
    expect(findFacts(nothing, noInterfaces)).toEqual({ addresses: [], pathMtu: 1500, waysOut: [] })
  })

  it.each([
    ['00', true],
    ['80', true],
    ['01', false],
    ['20', false],
    ['40', false],
    ['08', false],
    ['82', true],
  ])('count an IPv6 address with flags %s: %s', (flags, counts) => {
    const ifInet6 = `20010db8000000000000000000000005 02 40 00 ${flags}     eth0\n`
    const { addresses } = findFacts({ ...machine, ifInet6 }, ours)
    expect(addresses.some(({ address }) => address === '2001:db8::5')).toBe(counts)
  })

  it('are the same whatever the order they are told in', () => {
    fc.assert(
      fc.property(
        fc.shuffledSubarray([...machine.addresses], { minLength: machine.addresses.length }),
        addresses => {
          expect(findFacts({ ...machine, addresses }, ours)).toEqual(findFacts(machine, ours))
        },
      ),
    )
  })

  it('never throw, whatever the texts are', () => {
    const text = fc.array(fc.constantFrom('00000000', '\t', ' ', '\n', 'eth0', '0003', 'zz', '00', zero), {
      maxLength: 60,
    })
    fc.assert(
      fc.property(text, text, text, (a, b, c) => {
        const texts = { ...machine, route: a.join(''), ipv6Route: b.join(''), ifInet6: c.join('') }
        expect(findFacts(texts, ours).pathMtu).toBeGreaterThan(0)
      }),
    )
  })
})

describe('a default route', () => {
  it('is the one of the least metric, of each family', () => {
    expect(defaultRouteDevices(route, ipv6Route)).toEqual(['eth0', 'ppp0'])
  })

  it('is not one that is down or refuses', () => {
    expect(defaultRouteDevices(route.replaceAll('0003', '0002'), '')).toEqual([])
    expect(defaultRouteDevices('', ipv6Route.split('\n')[2] as string)).toEqual([])
  })
})

describe('this machine', () => {
  it('has facts that make sense', () => {
    const { addresses, pathMtu } = facts({ ours: noInterfaces })
    expect(pathMtu).toBeGreaterThanOrEqual(68)
    for (const { address } of addresses) expect(address).not.toMatch(/^(127\.|::1$|fe80:)/)
  })

  it('leaves out what is ours', () => {
    const all = facts({ ours: noInterfaces })
    const own = new Set(all.addresses.map(address => address.interface))
    expect(facts({ ours: own }).addresses).toEqual([])
    expect(facts({ ours: noInterfaces, isInside: () => true }).addresses).toEqual([])
  })
})

function facts(...about: Parameters<typeof readFacts>): Facts {
  const found = readFacts(...about)
  if (found === null) throw new Error('this machine does not tell')
  return found
}
