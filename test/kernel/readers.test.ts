import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ruleText } from '../../src/kernel/detours.ts'
import { describeForeign } from '../../src/kernel/foreign.ts'
import { readBatchErrors } from '../../src/kernel/readers/batch-errors.ts'
import { readBridges } from '../../src/kernel/readers/bridges.ts'
import { readForwarding } from '../../src/kernel/readers/fdb.ts'
import { documents, reading } from '../../src/kernel/readers/fields.ts'
import { readFloodLimits } from '../../src/kernel/readers/flood-limits.ts'
import { readGateway } from '../../src/kernel/readers/gateway.ts'
import { readGuards } from '../../src/kernel/readers/guards.ts'
import { linkNames, ownLinks, readLinkNames } from '../../src/kernel/readers/links.ts'
import { readLoopWatches } from '../../src/kernel/readers/loop-watches.ts'
import { readNeighbours } from '../../src/kernel/readers/neighbours.ts'
import { readDetours, readRoutes } from '../../src/kernel/readers/routes.ts'
import { readRules } from '../../src/kernel/readers/rules.ts'
import { readWireguardDump } from '../../src/kernel/readers/wireguard.ts'
import type { InterfaceName } from '../../src/model/address.ts'
import { sentenceOf } from '../../src/model/explanation.ts'
import type { Result } from '../../src/model/failure.ts'
import { desiredState, mesh, vtepOf } from './state.ts'

/**
 * Recorded with iproute2 6.1.0, nft 1.0.6 and wg 1.0.20210914, in a namespace that held `desiredState(2)`, a second
 * segment in the bridge br-lan.7, and what others put there by hand.
 */
function fixture(name: string): string {
  return readFileSync(new URL(`../fixtures/kernel/${name}`, import.meta.url), 'utf8')
}

const vlnet0 = 'vlnet0' as InterfaceName
const segments = new Set([vlnet0, 'vlnet-1' as InterfaceName])
const [links, routes, neighbours] = documents(fixture('ip.txt'), 3)
const desired = desiredState(2)

describe('links', () => {
  it('are ours by their mark alone', () => {
    const own = ownLinks(links, `lnet:${mesh}`)
    expect(own.map(link => [link.interface, link.kind, link.up, link.mtu, link.bridge])).toEqual([
      ['lnet0', 'tun', true, 1420, null],
      ['vlnet0', 'vxlan', true, 1350, null],
      ['vlnet-1', 'vxlan', false, 1300, 'br-lan_7'],
    ])
    expect(ownLinks(links, 'lnet:other')).toEqual([])
  })

  it('have their own addresses, less link-local and leased ones', () => {
    const [tunnel, segment] = ownLinks(links, `lnet:${mesh}`)
    expect(tunnel?.addresses).toEqual(desired.tunnel?.addresses)
    expect(segment?.addresses).toEqual(desired.segments[0]?.addresses)
    expect(fixture('ip.txt')).toMatch(/198\.51\.100\.9.*"dynamic":true/)
  })

  it('have what VXLAN was made with', () => {
    const [, segment, other] = ownLinks(links, `lnet:${mesh}`)
    const { vni, port, local, lower, mac, ageingSeconds, privileged } = desired.segments[0] ?? {}
    expect(segment?.vxlan).toEqual({ vni, port, local, lower, mac, ageingSeconds, privileged })
    expect(other?.vxlan).toMatchObject({ vni: 7, port: 4790, local: '10.77.0.1' })
  })

  it('have words for foreign ones', () => {
    const words = Object.fromEntries(linkNames(links).map(link => [link.name, describeForeign(link)]))
    expect(words).toMatchObject({
      lo: 'a loopback device without a mark',
      eth0: 'a veth device without a mark',
      'br-lan.7': 'a bridge device without a mark',
      lnet0: `a tun device marked lnet:${mesh}`,
    })
    expect(describeForeign({ name: 'x', kind: 'ether', alias: 'a\u001b[2J b' })).toBe(
      'an ether device marked a?[2J?b',
    )
  })

  it('without lnet are none', () => {
    const [blank, none, nobody] = documents(fixture('ip-empty.txt'), 3)
    expect(ownLinks(blank, `lnet:${mesh}`)).toEqual([])
    expect(readRoutes(none)).toEqual([])
    expect(readNeighbours(nobody, new Set())).toEqual(new Map())
  })
})

describe('routes and neighbours', () => {
  it('are the routes of our protocol number in the main table', () => {
    expect(readRoutes(routes)).toEqual([
      { prefix: '0.0.0.0/0', device: 'vlnet0', metric: 9999 },
      { prefix: '192.168.0.0/16', device: 'vlnet0', metric: 0 },
      { prefix: '203.0.113.7/32', device: 'vlnet0', metric: 0 },
      { prefix: 'fd77::/64', device: null },
      { prefix: 'fd77::/64', device: 'lnet0', metric: 1024 },
      { prefix: 'fde9::/64', device: 'vlnet0', metric: 1024 },
    ])
    const own = { dst: '10.0.0.0/8', dev: 'vlnet0', table: 'main', metric: 201_000 }
    expect(readRoutes([own])).toEqual([{ prefix: '10.0.0.0/8', device: 'vlnet0' }])
  })

  it('are the permanent neighbours of our segments', () => {
    expect(readNeighbours(neighbours, segments).get(vlnet0)).toEqual(desired.segments[0]?.neighbours)
    expect(readNeighbours(neighbours, segments).get('vlnet-1' as InterfaceName)).toEqual([])
    const multicast = [{ dst: 'ff02::1', dev: 'vlnet0', lladdr: '33:33:00:00:00:01', state: ['PERMANENT'] }]
    expect(readNeighbours(multicast, segments).get(vlnet0)).toEqual([])
  })
})

describe('the forwarding table', () => {
  it('is what does not age, ours and foreign', () => {
    const tables = unwrap(readForwarding(fixture('bridge-fdb.json'), segments))
    const { flood, unicast } = desired.segments[0] ?? { unicast: [] }
    expect(tables.get(vlnet0)).toEqual({
      flood,
      unicast: [...unicast, { mac: '02:bb:00:00:00:04', vtep: 'fd77::bad' }],
      portMacs: [],
    })
    expect(tables.get('vlnet-1' as InterfaceName)).toEqual({ flood: [], unicast: [], portMacs: [] })
  })
})

describe('a gateway', () => {
  const eth0 = 'eth0' as InterfaceName

  it('is read back, and forwards where all of its devices do', () => {
    const gateway = {
      interface: 'eth0',
      nat: true,
      sources: [{ device: 'vlnet0', network: '192.168.102.0/24' }],
      borrowed: ['eth0', 'vlnet0'],
      forwards: true,
    }
    expect(unwrap(readGateway(fixture('nft-gateway.json'), [eth0, vlnet0]))).toEqual(gateway)
    expect(unwrap(readGateway(fixture('nft-gateway.json'), [eth0]))).toEqual({ ...gateway, forwards: false })
    expect(unwrap(readGateway(fixture('nft.json'), [eth0]))).toBeNull()
    expect(unwrap(readGuards(fixture('nft-gateway.json')))).toEqual(new Map())
  })

  it.each([
    ['another verdict', '"masquerade": null', '"drop": null'],
    ['another source', '"len": 24', '"len": 16'],
    ['another clamp', '"rt": {"key": "mtu"}', '"rt": {"key": "nexthop"}'],
    ['another hook', '"hook": "forward"', '"hook": "input"'],
    ['a word for a rule', '"expr": [', '"expr": ["word", null, '],
  ])('remembers what it borrowed, and is written again, with %s', (_, from, to) => {
    const altered = fixture('nft-gateway.json').replace(from, to)
    expect(altered).not.toBe(fixture('nft-gateway.json'))
    const read = unwrap(readGateway(altered, [eth0, vlnet0]))
    expect(read?.borrowed).toEqual(['eth0', 'vlnet0'])
    const whole = unwrap(readGateway(fixture('nft-gateway.json'), [eth0, vlnet0]))
    expect(read).not.toEqual(whole)
  })
})

describe('rules and detours', () => {
  it('are those of our own number and table', () => {
    const rules = [
      { priority: 0, src: 'all', table: 'local', protocol: 'kernel' },
      { priority: 20103, src: 'all', table: '20201', protocol: '201' },
      { priority: 20101, src: 'all', ipproto: 'udp', sport: 51820, table: 'main', protocol: '201' },
      { priority: 20102, src: 'all', table: 'main', suppress_prefixlen: 0, protocol: '201' },
      { priority: 20101, src: '192.0.2.1', table: 'main', protocol: '201' },
    ]
    const read = unwrap(reading('ip', () => readRules(rules)))
    expect(read.map(ruleText)).toMatchInlineSnapshot(`
      [
        "priority 20101 from 192.0.2.1 lookup main protocol 201",
        "priority 20101 ipproto udp sport 51820 lookup main protocol 201",
        "priority 20102 lookup main suppress_prefixlength 0 protocol 201",
        "priority 20103 lookup 20201 protocol 201",
      ]
    `)
    const gateway = {
      dst: 'default',
      gateway: '192.168.102.5',
      dev: 'vlnet0',
      table: '20201',
      flags: ['onlink'],
    }
    const other = { dst: 'default', gateway: '192.0.2.254', dev: 'eth0' }
    expect(unwrap(reading('ip', () => readDetours([other, gateway])))).toEqual([
      { prefix: '0.0.0.0/0', via: '192.168.102.5', device: 'vlnet0' },
    ])
  })
})

describe('guards', () => {
  it.each([
    ['nft.json', desiredState(2)],
    ['nft-ipv4.json', desiredState(1, 4)],
  ])('are read back from %s', (name, state) => {
    expect(unwrap(readGuards(fixture(name)))).toEqual(new Map([[vlnet0, state.segments[0]?.guard]]))
  })

  it.each([
    ['nft-exempt-all.json', desiredState(2), null],
    ['nft-exempt-one.json', desiredState(2), [3]],
    ['nft-exempt.json', desiredState(1, 4), [2, 10, 300]],
  ] as const)('are read back from %s, with whom they exempt', (name, { segments }, numbers) => {
    const guard = segments[0]?.guard ?? null
    const family = guard?.vteps.includes(':') ? 6 : 4
    const exempt = numbers?.map(number => vtepOf(number, family)) ?? null
    expect(unwrap(readGuards(fixture(name)))).toEqual(new Map([[vlnet0, { ...guard, exempt }]]))
  })

  it('are none without a table', () => {
    expect(unwrap(readGuards(fixture('nft-empty.json')))).toEqual(new Map())
  })

  it.each([
    ['another tunnel', '"right": "lnet0"', '"right": "lnet1"'],
    ['another port', '"right": 4789', '"right": 4790'],
    ['another verdict', '"drop": null', '"accept": null'],
    ['another hook', '"hook": "output"', '"hook": "postrouting"'],
    ['another priority', '"prio": -300', '"prio": 0'],
    ['another prefix', '"addr": "fd77::"', '"addr": "fd78::"'],
    ['another operator', '"op": "!="', '"op": "=="'],
    ['an unknown match', '"nfproto"', '"nfprotocol"'],
    ['a list to match', '"right": 4789', '"right": [4789, {"range": [1, 2]}]'],
    ['a word for a rule', '"expr": [', '"expr": ["word", null, '],
  ])('are none with %s in one place', (_, from, to) => {
    const altered = fixture('nft.json').replace(from, to)
    expect(altered).not.toBe(fixture('nft.json'))
    expect(unwrap(readGuards(altered))).toEqual(new Map())
  })

  it('are the same whatever was counted', () => {
    const other = fixture('nft.json').replaceAll('"packets": 0', '"packets": 7')
    expect(unwrap(readGuards(other)).size).toBe(1)
  })
})

describe('a bridge', () => {
  it('is told with its cables, and with what stands on top of it', () => {
    const card = { ifname: 'eth1', flags: ['UP'], master: 'br0' }
    const tap = { ifname: 'tap0', flags: ['UP'], master: 'br0', linkinfo: { info_kind: 'tun' } }
    const vlan = { ifname: 'br0.7', flags: ['UP'], link: 'br0', linkinfo: { info_kind: 'vlan' } }
    const bridge = {
      ...{ ifname: 'br0', flags: ['UP'], address: '02:00:5e:00:53:01' },
      linkinfo: { info_kind: 'bridge', info_data: { stp_state: 0 } },
    }
    expect(readBridges([vlan, card, tap, bridge], `lnet:${mesh}`)).toMatchObject([
      { interface: 'br0', own: false, up: true, stp: false, physicalPorts: ['eth1'], stacked: ['br0.7'] },
    ])
  })
})

describe('watches for loops', () => {
  const output = fixture('nft-watches.json')
  const portsIn = (text: string) => unwrap(readLoopWatches(text))

  it('are read back with their ports; tables of others are passed over', () => {
    expect(portsIn(output)).toEqual([{ interface: 'vlnet0', ports: ['eth1', 'eth2'] }])
    expect(portsIn(fixture('nft-empty.json'))).toEqual([])
  })

  it.each([
    ['another hook', '"hook": "input"', '"hook": "forward"'],
    ['another mark', '51825', '51826'],
    ['another port', '"right": "eth1"', '"right": "eth3"'],
    ['another device of the fence', '"right": "vlnet0"', '"right": "vlnet1"'],
    ['another verdict', '{"drop": null}', '{"accept": null}'],
    ['another field', '"field": "sport"}}, "value"', '"field": "dport"}}, "value"'],
    ['an unknown word', '"expr": [', '"expr": ["word", '],
  ])('are altered with %s in one place', (_, from, to) => {
    const altered = output.replace(from, to)
    expect(altered).not.toBe(output)
    expect(portsIn(altered)).toEqual([{ interface: 'vlnet0', ports: [] }])
  })
})

describe('flood limits', () => {
  const output = fixture('nft-limits.json')

  it('are read back with what they dropped; tables of others are passed over', () => {
    expect(unwrap(readFloodLimits(output))).toEqual({
      limits: new Map([
        ['vlnet0', 10_000],
        ['vlnet1', 10],
      ]),
      floods: [
        { interface: 'vlnet0', droppedFrames: 0 },
        { interface: 'vlnet1', droppedFrames: 90 },
      ],
    })
  })

  it('are none without a table', () => {
    expect(unwrap(readFloodLimits(fixture('nft-empty.json')))).toEqual({ limits: new Map(), floods: [] })
  })

  it.each([
    ['another burst', '"burst": 10000', '"burst": 5'],
    ['the reverse of a limit', '"per": "second"}}, {"accept"', '"per": "second", "inv": true}}, {"accept"'],
    ['another unit', '"burst": 10000, "per": "second"', '"burst": 10000, "per": "hour"'],
    ['another mask', '"01:00:00:00:00:00"]}', '"03:00:00:00:00:00"]}'],
    ['other questions', '"nd-neighbor-advert"', '"echo-request"'],
    ['another verdict', '{"drop": null}', '{"accept": null}'],
    ['another hook', '"hook": "egress"', '"hook": "ingress"'],
    ['an unknown word', '"expr": [', '"expr": ["word", '],
    ['the rate of a rule for ARP alone', '"rate": 1000,', '"rate": 10000,'],
  ])('are altered with %s in one place', (_, from, to) => {
    const altered = output.replace(from, to)
    expect(altered).not.toBe(output)
    expect(unwrap(readFloodLimits(altered)).limits.get(vlnet0)).toBe(0)
  })

  it('are altered when their device took the chain along, as on older kernels', () => {
    const { nftables } = JSON.parse(output)
    const left = nftables.filter((item: object) => !('chain' in item || 'rule' in item))
    const { limits, floods } = unwrap(readFloodLimits(JSON.stringify({ nftables: left })))
    expect([...limits.values()]).toEqual([0, 0])
    expect(floods.map(({ droppedFrames }) => droppedFrames)).toEqual([0, 0])
  })

  it('are the same however nft sorts a set', () => {
    const set = '"nd-neighbor-solicit", "nd-neighbor-advert"'
    const other = output.replaceAll(set, '"nd-neighbor-advert", "nd-neighbor-solicit"')
    expect(unwrap(readFloodLimits(other)).limits.get(vlnet0)).toBe(10_000)
  })
})

describe('the WireGuard dump', () => {
  it('gives WireGuard peers and readings without a secret', () => {
    const dump = unwrap(readWireguardDump(fixture('wg-dump.txt')))
    expect(dump.publicKey).toBe(desired.tunnel?.publicKey)
    expect(dump.listenPort).toBe(51820)
    expect(dump.peers.slice(0, 2)).toEqual(desired.tunnel?.peers)
    expect(dump.peers[2]).toEqual({
      publicKey: 'Bh3RCrTMCKWeSRPpXWSqHTUXriUui/UDVaoOrnxCoV4=',
      presharedKey: null,
      endpoint: '[fd09::2]:51820',
      allowedIps: ['10.1.0.0/16', 'fd00:1::/64'],
      keepaliveSeconds: 0,
    })
    expect(dump.readings[0]).toMatchObject({ handshakeAt: null, receivedBytes: 0, sentBytes: 148 })
    const [privateKey, presharedKey] = ['WFB2Wcl3Etwl5bHuJGWL', 'E5HWWVoIoXvWNG31jNfH']
    expect(JSON.stringify(dump)).not.toMatch(new RegExp(`${privateKey}|${presharedKey}`))
  })

  it('gives a device without a key', () => {
    expect(unwrap(readWireguardDump(fixture('wg-dump-blank.txt')))).toEqual({
      publicKey: null,
      listenPort: 40980,
      peers: [],
      readings: [],
    })
  })

  it('takes a link-local endpoint for none', () => {
    const dump = fixture('wg-dump.txt').replace('[fd09::2]', '[fe80::1%eth0]')
    expect(unwrap(readWireguardDump(dump)).peers[2]?.endpoint).toBeNull()
  })

  it.each([
    ['', 'line 1 has 1 fields instead of 4'],
    ['a\tb\t1\toff\n', 'the public key of line 1 is malformed'],
    ['(none)\t(none)\tx\toff\n', 'the port of line 1 is no number'],
    ['(none)\t(none)\t1\toff\nkey\t(none)\n', 'line 2 has 2 fields instead of 8'],
  ])('says where %j is not one', (output, place) => {
    const result = readWireguardDump(output)
    expect(result).toMatchObject({
      ok: false,
      failure: { why: expect.stringContaining(place) },
    })
  })
})

describe('what a batch said', () => {
  it('belongs to its line', () => {
    const stderr =
      'Error: ipv6: address already assigned.\nCommand failed -:19\nRTNETLINK answers: No such process\nCommand failed -:22\n'
    expect(readBatchErrors(stderr)).toEqual(
      new Map([
        [19, 'Error: ipv6: address already assigned.'],
        [22, 'RTNETLINK answers: No such process'],
      ]),
    )
  })
})

describe('garbage', () => {
  const readers: Readonly<Record<string, (text: string) => Result<unknown>>> = {
    'ip link': text => readLinkNames(text),
    ip: text =>
      reading('ip', () => {
        const [first, second, third] = documents(text, 3)
        return [ownLinks(first, `lnet:${mesh}`), readRoutes(second), readNeighbours(third, segments)]
      }),
    'bridge fdb': text => readForwarding(text, segments),
    nft: text => readGuards(text),
    'wg show': text => readWireguardDump(text),
  }
  const real = [
    ['ip link', `${JSON.stringify(links)}\n`],
    ['ip', fixture('ip.txt')],
    ['bridge fdb', fixture('bridge-fdb.json')],
    ['nft', fixture('nft.json')],
    ['wg show', fixture('wg-dump.txt')],
  ] as const

  it.each(real)('from %s is a failure that names it, never an exception', (tool, output) => {
    const read = readers[tool] as (text: string) => Result<unknown>
    expect(read(output).ok).toBe(true)
    const json = fc.json().map(text => `${text}\n`)
    const cut = fc.nat(output.length).map(length => output.slice(0, length))
    const bent = fc
      .tuple(fc.nat(output.length - 1), fc.string({ maxLength: 8 }))
      .map(([at, insert]) => output.slice(0, at) + insert + output.slice(at + insert.length))
    const text = fc.oneof(
      fc.string(),
      json,
      cut,
      bent,
      fc.array(json).map(lines => lines.join('')),
    )
    fc.assert(
      fc.property(text, garbage => {
        const result = read(garbage)
        if (result.ok) return true
        return result.failure.what === `cannot read what ${tool} said`
      }),
      { numRuns: 500 },
    )
  })

  it.each(real)('in any field of %s is never an exception', (tool, output) => {
    const read = readers[tool] as (text: string) => Result<unknown>
    const values = fc.oneof(
      fc.constant('null'),
      fc.constant('{}'),
      fc.constant('[1]'),
      fc.constant('-1'),
      fc.json(),
    )
    const places = [...output.matchAll(/:\s?("[^"]*"|\d+|true|null)/g)]
    const place = fc.constantFrom(...places)
    fc.assert(
      fc.property(place, values, ({ index, 0: whole }, value) => {
        const result = read(`${output.slice(0, index)}:${value}${output.slice(index + whole.length)}`)
        expect(typeof result.ok).toBe('boolean')
      }),
      { numRuns: 1000 },
    )
  })
})

function unwrap<Value>(result: Result<Value>): Value {
  if (!result.ok) throw new Error(sentenceOf(result.failure))
  return result.value
}
