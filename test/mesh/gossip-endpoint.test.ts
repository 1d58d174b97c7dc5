import { describe, expect, it } from 'vitest'
import { gossipEndpoint } from '../../src/mesh/gossip-endpoint.ts'
import type { Surroundings } from '../../src/mesh/rank-endpoints.ts'
import type { IpAddress, Prefix } from '../../src/model/address.ts'
import { candidate } from './world.ts'

const surroundings: Surroundings = {
  addresses: ['192.168.1.5' as IpAddress],
  networks: ['192.168.1.0/24' as Prefix],
  vpns: [],
  inside: ['fd60::/64' as Prefix],
}
const announced = [candidate('vps.example.org:1000', 'configured'), candidate('10.9.0.1:51820', 'lan')]

describe('the endpoint of a gossip connection', () => {
  it('is its address at the port of the tunnel, not at one that is forwarded', () => {
    expect(gossipEndpoint(announced, '100.64.0.9' as IpAddress, surroundings)).toBe('100.64.0.9:51820')
    expect(gossipEndpoint(announced, '2001:db8::9' as IpAddress, surroundings)).toBe('[2001:db8::9]:51820')
    expect(gossipEndpoint(announced.slice(0, 1), '100.64.0.9' as IpAddress, surroundings)).toBe(
      '100.64.0.9:1000',
    )
  })

  it.each([undefined, '192.168.1.5', 'fd60::7', '127.0.0.1', 'fe80::1', '224.0.0.1'])(
    'is none for %s',
    address => {
      expect(gossipEndpoint(announced, address as IpAddress | undefined, surroundings)).toBeNull()
    },
  )

  it('is none for a member that announces no port', () => {
    expect(gossipEndpoint([], '100.64.0.9' as IpAddress, surroundings)).toBeNull()
  })
})
