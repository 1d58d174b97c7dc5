import { describe, expect, it } from 'vitest'
import {
  classifyForwarding,
  classifyLinks,
  classifyTables,
  followAlterations,
} from '../../src/kernel/readers/monitor.ts'
import { type Prefix, prefixesOverlap } from '../../src/model/address.ts'

const isOwn = (name: string) => name === 'lnet0' || name === 'vlnet0'
const isHost = (name: string) => name === 'br0'
const isForwarder = (name: string) => name === 'eth0'
const isMeshNetwork = (network: Prefix) =>
  ['192.168.102.0/24', 'fd00::/64'].some(mesh => prefixesOverlap(mesh as Prefix, network))

/** Lines as iproute2 6.1.0 wrote them. */
describe('ip monitor', () => {
  it.each([
    [
      'ours',
      '4: lnet0: <POINTOPOINT,MULTICAST,NOARP> mtu 1420 qdisc pfifo_fast state DOWN group default \\    link/none ',
    ],
    [
      'ours',
      'Deleted 6: vlnet0: <BROADCAST,MULTICAST> mtu 1370 qdisc noop state DOWN group default \\    link/ether 02:00:00:00:01:01 brd ff:ff:ff:ff:ff:ff',
    ],
    [
      'ours',
      'Deleted 5: vlnet0    inet 192.168.102.1/24 scope global noprefixroute vlnet0\\       valid_lft forever preferred_lft forever',
    ],
    ['ours', 'Deleted fd00:1::/64 dev lnet0 proto 201 metric 1024 pref medium'],
    ['ours', 'Deleted unreachable 192.168.228.0/24 proto 201 metric 4294967295 '],
    [
      'underlay',
      '3: eth0    inet 10.9.0.5/24 scope global secondary eth0\\       valid_lft forever preferred_lft forever',
    ],
    [
      'underlay',
      '3: eth0@eth0p: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1400 qdisc noqueue state UP group default \\    link/ether a2:cc:9e:ae:34:4a brd ff:ff:ff:ff:ff:ff',
    ],
    ['underlay', 'default via 10.9.0.254 dev eth0 proto dhcp src 10.9.0.5 metric 100 '],
    [
      'underlay',
      'Deleted default via fe80::1 dev eth0 proto ra metric 1024 expires 1799sec hoplimit 64 pref medium',
    ],
    ['ours', '192.168.102.8 dev vlnet0 lladdr 02:00:00:00:00:08 PERMANENT '],
    ['ours', 'Deleted 192.168.102.8 dev vlnet0 FAILED '],
    ['ours', 'Deleted fd00::8 dev vlnet0 lladdr 02:00:00:00:00:08 router STALE '],
    [null, '192.168.102.8 dev vlnet0 lladdr 02:00:00:00:00:08 STALE '],
    [null, 'Deleted 10.9.0.8 dev eth0 lladdr 02:00:00:00:00:08 STALE '],
    [
      null,
      '4: vlnet0    inet6 fe80::947c:ccff:fe25:9a66/64 scope link \\       valid_lft forever preferred_lft forever',
    ],
    [null, 'Deleted ff02::16 dev vlnet0 lladdr 33:33:00:00:00:16 NOARP '],
    ['ours', 'Deleted 20103:\tfrom all lookup 20201 proto 201'],
    ['ours', '20101:\tfrom all ipproto udp sport 51820 lookup main proto 201'],
    [null, '5:\tfrom all lookup main'],
    [null, 'Deleted 32766:\tfrom all lookup main proto 2010'],
    ['ours', 'inet eth0 forwarding off '],
    [null, 'inet docker0 forwarding on '],
    [null, 'inet6 eth0 forwarding on '],
    ['ours', 'Deleted 192.168.102.8 dev br0 FAILED proto 201 '],
    [
      'ours',
      'Deleted 2: br0    inet 10.0.0.2/24 metric 20201 scope global noprefixroute br0\\       valid_lft forever preferred_lft forever',
    ],
    ['overlap', '192.168.102.0/24 dev eth0 proto kernel scope link src 192.168.102.7 '],
    ['overlap', 'Deleted 192.168.0.0/16 via 10.9.0.254 dev eth0 '],
    ['overlap', 'fd00::/48 dev wlan0 proto ra metric 600 pref medium'],
    [
      'overlap',
      '3: eth0    inet 192.168.102.7/24 brd 192.168.102.255 scope global eth0\\       valid_lft forever preferred_lft forever',
    ],
    [
      'overlap',
      'Deleted 3: tun1    inet 10.8.0.2 peer 192.168.102.1/32 scope global tun1\\       valid_lft forever preferred_lft forever',
    ],
    [null, '192.168.102.254 dev eth0 lladdr 02:00:00:00:00:08 REACHABLE '],
    [null, 'local 192.168.102.7 dev eth0 table local proto kernel scope host src 192.168.102.7 '],
    [null, '192.168.102.0/24 dev tun0 table 52 '],
    [null, '10.8.0.0/24 dev tun0 proto kernel scope link src 10.8.0.2 '],
    [null, 'default dev vlnet0 scope link '],
    [null, 'local 10.9.0.5 dev eth0 table local proto kernel scope host src 10.9.0.1 '],
    [null, '192.168.102.0/24 dev vlnet0 proto kernel scope link src 192.168.102.1 '],
    [null, ''],
    [null, 'Usage: ip monitor'],
  ])('%s: %s', (event, line) => {
    expect(classifyLinks({ isOwn, isHost, isForwarder, isMeshNetwork })(line)).toBe(event)
  })

  it('hears that a bridge segments are in got another MAC, whatever else changes of it', () => {
    const classify = classifyLinks({ isOwn, isHost: name => name === 'br0' })
    const line = (device: string, mac: string) =>
      `7: ${device}: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP group default \\    link/ether ${mac} brd ff:ff:ff:ff:ff:ff`
    expect(classify(line('br0', '02:00:00:00:00:01'))).toBe('ours')
    expect(classify(line('br0', '02:00:00:00:00:01'))).toBe('underlay')
    expect(classify(line('br0', '02:00:00:00:00:02'))).toBe('ours')
    expect(classify(line('br1', '02:00:00:00:00:03'))).toBe('underlay')
  })

  it('does not repeat an underlay address whose lifetime alone was renewed', () => {
    const classify = classifyLinks({ isOwn })
    const address = (seconds: number) =>
      `2: eth0    inet6 2001:db8::5/64 scope global dynamic \\       valid_lft ${seconds}sec preferred_lft ${seconds}sec`
    const deprecated =
      '2: eth0    inet6 2001:db8::5/64 scope global deprecated dynamic \\       valid_lft 9sec preferred_lft 0sec'
    const lines = [
      address(7200),
      address(7100),
      address(7200),
      deprecated,
      address(7200),
      `Deleted ${address(1)}`,
      address(9),
    ]
    expect(lines.map(classify)).toEqual([
      'underlay',
      null,
      null,
      'underlay',
      'underlay',
      'underlay',
      'underlay',
    ])
  })
})

describe('bridge monitor', () => {
  it.each([
    ['ours', '00:00:00:00:00:00 dev vlnet0 dst fd00:1::8 via lnet0 self permanent'],
    ['ours', 'Deleted 02:00:00:00:00:08 dev vlnet0 dst fd00:1::8 via lnet0 self static'],
    [null, '02:00:00:00:00:09 dev vlnet0 dst fd00:1::8 self '],
    [null, 'Deleted 02:00:00:00:00:09 dev vlnet0 dst fd00:1::8 self '],
    [null, '33:33:00:00:00:01 dev eth0 self permanent'],
    [null, ''],
  ])('%s: %s', (event, line) => {
    expect(classifyForwarding(isOwn)(line)).toBe(event)
  })
})

describe('nft monitor', () => {
  it.each([
    ['ours', 'delete table inet lnet_vlnet0'],
    ['ours', 'delete table netdev lnet_vlnet0'],
    [null, 'delete table netdev filter'],
    ['ours', 'delete table bridge lnet_vlnet0'],
    [null, 'delete table bridge filter'],
    [
      'ours',
      'add chain inet lnet_vlnet0 guard_rx { type filter hook prerouting priority raw; policy accept; }',
    ],
    ['ours', 'delete rule inet lnet_vlnet0 guard_rx handle 4'],
    [null, 'add rule inet filter input accept'],
    [null, '# new generation 3 by process 10033 (nft)'],
    [null, ''],
  ])('%s: %s', (event, line) => {
    expect(classifyTables(line)).toBe(event)
  })
})

/** As nft 1.0.6 wrote them, less rules alike. */
describe('what nft monitor tells of guards', () => {
  const end = '# new generation 3 by process 26313 (nft)'
  const flushed = ['delete rule inet lnet_vlnet0 guard_rx handle 4', 'delete table inet lnet_vlnet0']
  const made = [
    'add table inet lnet_vlnet0',
    'add chain inet lnet_vlnet0 guard_rx { type filter hook input }',
  ]
  it.each([
    ['a flushed ruleset', [...flushed, end], ['vlnet0']],
    ['a flushed chain', ['delete rule inet lnet_vlnet0 guard_rx handle 4', end], ['vlnet0']],
    ['another rule', ['add rule inet lnet_vlnet0 guard_rx accept', end], ['vlnet0']],
    ['a removal before its end', flushed, []],
    ['a guard that is made', [...made, end], []],
    ['a guard that is made anew', [...flushed, ...made, end], []],
    ['a guard that is made and removed at once', [...made, ...flushed, end], ['vlnet0']],
    ['a removal after a new guard', [...made, end, ...flushed, end], ['vlnet0']],
    ['tables of others', ['delete table inet filter', 'delete table ip lnet_vlnet0', end], []],
    ['the gateway', ['delete table inet lnet-gateway', end], []],
    ['a flood limit', ['delete table netdev lnet_vlnet0', end], []],
    ['a name that no segment has', ['delete table inet lnet_a@b', end], []],
  ] as const)('is %s', (_, lines, altered) => {
    const follow = followAlterations()
    expect(lines.flatMap(line => follow(line))).toEqual(altered)
  })
})
