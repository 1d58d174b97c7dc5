import { describe, expect, it } from 'vitest'
import { type DefaultRoute, likeliestFirst } from '../../src/host/address-order.ts'
import { offeredAddresses } from '../../src/mesh/offered-addresses.ts'
import {
  type InterfaceAddress,
  type InterfaceName,
  type IpAddress,
  prefixOf,
} from '../../src/model/address.ts'
import { type DeviceKind, noFacts, type UnderlayAddress } from '../../src/model/facts.ts'

const uplinks: readonly DefaultRoute[] = [
  { family: 4, device: 'wlan0', metric: 600 },
  { family: 4, device: 'eth0', metric: 100 },
  { family: 6, device: 'eth0', metric: 1024 },
]
const crowded = [
  ...Array.from({ length: 40 }, (_, index) => on('web0', `10.2.0.${index + 1}`, 'virtual')),
  on('docker0', '172.17.0.1', 'container'),
  on('virbr0', '192.168.122.1', 'container'),
  on('tailscale0', '100.64.0.7', 'vpn'),
  on('ztabcdefgh', '10.147.17.7', 'vpn'),
  on('wt0', '100.90.0.7', 'vpn'),
  on('vx0', '10.99.0.7', 'vpn'),
  on('tinc0', '10.98.0.7', 'vpn'),
  on('wlan0', '192.168.51.7', 'physical'),
  on('vlan7', '10.1.7.1', 'physical'),
  on('eth0', '192.168.50.1', 'physical'),
  on('eth0', '192.168.50.9', 'physical'),
  on('eth0', '2001:db8::7', 'physical'),
]

describe('addresses others may reach this machine at', () => {
  it('come from the uplinks first, then physical devices, virtual ones, and VPNs last, a few of them', () => {
    const found = order(crowded, uplinks)
    expect(found.slice(0, 6)).toEqual([
      '2001:db8::7',
      '192.168.50.1',
      '192.168.50.9',
      '192.168.51.7',
      '10.1.7.1',
      '10.2.0.1',
    ])
    expect(found.filter(address => address.startsWith('10.2.0.'))).toEqual(['10.2.0.1', '10.2.0.2'])
    expect(found.slice(-4)).toEqual(['10.98.0.7', '10.99.0.7', '10.147.17.7', '100.64.0.7'])
    expect(found).not.toContain('172.17.0.1')
    expect(found).not.toContain('192.168.122.1')
  })

  it('are all known as its own, however few are offered', () => {
    const own = likeliestFirst(crowded, uplinks, new Set()).map(({ address }) => address)
    expect(own).toHaveLength(crowded.length - 2)
    expect(own).toContain('10.2.0.40')
    expect(own).toContain('100.90.0.7')
  })

  it('are those gossip uses before others of their kind, where no uplink is', () => {
    expect(order(crowded, [], '10.1.7.1').slice(0, 2)).toEqual(['10.1.7.1', '2001:db8::7'])
    expect(order(crowded, uplinks, '10.1.7.1').slice(0, 5).at(-1)).toBe('10.1.7.1')
  })

  it('have one of each device before a second one of any', () => {
    const vlans = [
      ...[1, 4, 5].map(number => on('vlan1', `10.1.${number}.1`, 'physical')),
      on('vlan2', '10.1.2.1', 'physical'),
      on('vlan3', '10.1.3.1', 'physical'),
    ]
    expect(order(vlans, [])).toEqual(['10.1.1.1', '10.1.2.1', '10.1.3.1', '10.1.4.1', '10.1.5.1'])
  })

  it('are those of a VPN where there is nothing else, whatever its default route', () => {
    const route: DefaultRoute = { family: 4, device: 'tun0', metric: 0 }
    const lan = on('eth0', '192.168.50.1', 'physical')
    const tunnel = on('tun0', '10.8.0.2', 'vpn')
    expect(order([tunnel, lan], [route])).toEqual(['192.168.50.1', '10.8.0.2'])
    expect(order([tunnel], [route])).toEqual(['10.8.0.2'])
  })

  it('are those of containers’ bridges only where nothing is better, or in public networks', () => {
    const bridge = on('docker0', '172.17.0.1', 'container')
    expect(order([bridge], [])).toEqual(['172.17.0.1'])
    const routed = on('docker0', '2001:db8:9::1', 'container')
    expect(order([bridge, routed, on('eth0', '192.168.50.1', 'physical')], [])).toEqual([
      '192.168.50.1',
      '2001:db8:9::1',
    ])
  })
})

function order(
  addresses: readonly UnderlayAddress[],
  routes: readonly DefaultRoute[],
  ...inUse: readonly string[]
): readonly string[] {
  const found = likeliestFirst(addresses, routes, new Set(inUse as readonly IpAddress[]))
  return offeredAddresses({ ...noFacts, addresses: found }).map(({ address }) => address)
}

function on(device: string, address: string, kind: DeviceKind): UnderlayAddress {
  const network = prefixOf(`${address}/${address.includes(':') ? 64 : 24}` as InterfaceAddress)
  return { address: address as IpAddress, network, interface: device as InterfaceName, kind }
}
