import { describe, expect, it } from 'vitest'
import { rankEndpoints, type Surroundings } from '../../src/mesh/rank-endpoints.ts'
import type { Endpoint, IpAddress, Prefix } from '../../src/model/address.ts'
import type { EndpointCandidate } from '../../src/model/announcement.ts'
import { candidate } from './world.ts'

describe('candidates', () => {
  it.each<[string, readonly EndpointCandidate[], Partial<Surroundings>, readonly string[]]>([
    [
      'come as configured, public, LAN',
      [
        candidate('10.9.0.1:1', 'lan'),
        candidate('8.8.8.8:1', 'public'),
        candidate('9.9.9.9:1', 'configured'),
      ],
      {},
      ['9.9.9.9:1', '8.8.8.8:1', '10.9.0.1:1'],
    ],
    [
      'of a LAN of ours come first',
      [candidate('9.9.9.9:1', 'configured'), candidate('192.168.1.9:1', 'lan')],
      {},
      ['192.168.1.9:1', '9.9.9.9:1'],
    ],
    [
      'of a family we have no address of come last',
      [candidate('[2a00::1]:1', 'configured'), candidate('10.9.0.1:1', 'lan')],
      {},
      ['10.9.0.1:1', '[2a00::1]:1'],
    ],
    [
      'by another VPN come after those of LANs elsewhere',
      [candidate('100.64.0.9:1', 'lan'), candidate('10.9.0.1:1', 'lan')],
      {},
      ['10.9.0.1:1', '100.64.0.9:1'],
    ],
    [
      'in the order of their author',
      [candidate('8.8.8.8:1'), candidate('8.8.4.4:1')],
      {},
      ['8.8.8.8:1', '8.8.4.4:1'],
    ],
    ['once each', [candidate('8.8.8.8:1', 'configured'), candidate('8.8.8.8:1', 'lan')], {}, ['8.8.8.8:1']],
    ['never our own address', [candidate('192.168.1.5:1', 'lan'), candidate('8.8.8.8:1')], {}, ['8.8.8.8:1']],
    [
      'never an address inside the mesh',
      [candidate('192.168.228.9:1', 'configured'), candidate('[fd60::1]:1', 'configured')],
      {},
      [],
    ],
    [
      'never one that cannot be an endpoint',
      [
        '127.0.0.1:1',
        '0.0.0.0:1',
        '224.0.0.1:1',
        '255.255.255.255:1',
        '[::1]:1',
        '[fe80::1]:1',
        '169.254.0.1:1',
      ].map(place => candidate(place, 'configured')),
      {},
      [],
    ],
    ['of a name that is not resolved: none', [candidate('vps.example.org:1', 'configured')], {}, []],
    [
      'even where we know no address of ours',
      [candidate('8.8.8.8:1')],
      { addresses: [], networks: [] },
      ['8.8.8.8:1'],
    ],
  ])('%s', (_, candidates, changes, expected) => {
    expect(rankEndpoints(candidates, () => [], { ...surroundings, ...changes })).toEqual(expected)
  })

  it('of a name are what it resolves to, a few, and no more trusted than others', () => {
    const many = ['127.0.0.1:7', '9.9.9.1:7', '9.9.9.2:7', '9.9.9.3:7', '9.9.9.4:7'] as Endpoint[]
    const named = candidate('vps.example.org:7', 'configured')
    expect(rankEndpoints([named, candidate('8.8.8.8:1')], () => many, surroundings)).toEqual([
      '9.9.9.1:7',
      '9.9.9.2:7',
      '9.9.9.3:7',
      '8.8.8.8:1',
    ])
  })
})

const surroundings: Surroundings = {
  addresses: ['192.168.1.5' as IpAddress],
  networks: ['192.168.1.0/24' as Prefix],
  vpns: ['100.64.0.0/10' as Prefix],
  inside: ['192.168.228.0/24' as Prefix, 'fd60::/64' as Prefix],
}
