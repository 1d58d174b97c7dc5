import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type IpAddress, ipAddressFromBytes, type Prefix, parseIpAddress } from '../../src/model/address.ts'
import { type Here, mayBeGossipPort, mayBeOnLan, mayLeadTo } from '../../src/model/foreign-address.ts'

const here: Here = {
  addresses: new Set(['192.168.1.7', '203.0.113.7', '127.0.0.1', '::1', 'fd00:1::7']),
  networks: ['192.168.1.0/24', '203.0.113.0/24', 'fd00:1::/64'] as Prefix[],
  isInside: address => address.startsWith('10.99.'),
}
const leads = (text: string) => {
  const address = parseIpAddress(text)
  return address !== null && mayLeadTo(address, here)
}

describe('an address that another node named', () => {
  it.each([
    ...['192.0.2.1', '198.51.100.3', '8.8.8.8', '192.168.1.8', '10.1.2.3', '172.31.0.1', '100.64.0.9'],
    ...['2001:db8::1', '2a00:1::1', 'fd00:1::8', '200:1::1', '64:ff9b::808:808'],
  ])('may be dialled: %s', text => expect(leads(text)).toBe(true))

  it.each([
    ...[
      '127.0.0.1',
      '127.1.2.3',
      '::1',
      '0.0.0.0',
      '0.0.0.1',
      '::',
      '255.255.255.255',
      '224.0.0.1',
      '240.0.0.1',
    ],
    ...[
      '::ffff:127.0.0.1',
      '::ffff:7f00:1',
      '::ffff:192.0.2.1',
      '::127.0.0.1',
      '::7f00:1',
      '::ffff:0:127.0.0.1',
    ],
    ...['64:ff9b::7f00:1', '64:ff9b::a00:1', '64:ff9b::cb00:7107', '64:ff9b:1::7f00:1', '64:ff9b::e000:1'],
    ...['2002:7f00:1::', '2002:7f00:1::1', '2001:0:7f00:1::', 'ff02::1', 'ff0e::1', 'fec0::1', '100::1'],
    ...['169.254.1.1', 'fe80::1', '192.168.1.7', '203.0.113.7', 'fd00:1::7', '192.168.1.255', '192.168.1.0'],
    ...['10.99.0.1', '192.0.0.8', '192.88.99.1'],
    ...['127.1', '0x7f.1', '0177.0.0.1', '2130706433', 'fe80::1%eth0', '[::1]', ''],
  ])('may not: %j', text => expect(leads(text)).toBe(false))

  it('is never one that leads to this machine, in whatever it is wrapped', () => {
    const wraps = [
      (v4: readonly number[]) => v4,
      (v4: readonly number[]) => [...Array(10).fill(0), 0xff, 0xff, ...v4],
      (v4: readonly number[]) => [...Array(12).fill(0), ...v4],
      (v4: readonly number[]) => [0, 0x64, 0xff, 0x9b, ...Array(8).fill(0), ...v4],
      (v4: readonly number[]) => [0x20, 0x02, ...v4, ...Array(10).fill(0)],
    ]
    const loopback = fc.tuple(fc.constant(127), fc.nat(255), fc.nat(255), fc.nat(255))
    const own = fc.constantFrom([192, 168, 1, 7], [203, 0, 113, 7], [0, 0, 0, 0])
    fc.assert(
      fc.property(fc.oneof(loopback, own), fc.constantFrom(...wraps), (bytes, wrap) => {
        const address = parseIpAddress(ipAddressFromBytes(Uint8Array.from(wrap(bytes))))
        return address === null || !mayLeadTo(address, here)
      }),
    )
  })

  it('has a port above those of services, or one that this operator uses', () => {
    const ports = [22, 80, 443, 1023, 1024, 51_821]
    expect(ports.filter(port => mayBeGossipPort(port, new Set([443])))).toEqual([443, 1024, 51_821])
  })
})

describe('an address heard on a LAN', () => {
  const lan = ['192.168.1.0/24', '169.254.0.0/16'] as Prefix[]
  const isOn = (text: string) => mayBeOnLan(text as IpAddress, lan, here)

  it('is in its network, link-local or not, and another machine’s', () => {
    expect(['192.168.1.8', '169.254.3.4'].filter(isOn)).toHaveLength(2)
    const others = ['192.168.1.7', '192.168.1.255', '192.168.1.0', '192.168.2.1', '8.8.8.8', '127.0.0.1']
    expect(others.filter(isOn)).toEqual([])
  })
})
