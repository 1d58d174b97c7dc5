import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bootstrapAddresses, dialableAddresses, placeOf, withoutNode } from '../../src/gossip/places.ts'
import type { HostPort } from '../../src/model/address.ts'
import { addressesPerPlaceMax } from '../../src/model/limits.ts'

const id = `12D3KooW${'A'.repeat(44)}`
const nobody = async (): Promise<readonly string[]> => {
  throw new Error('getaddrinfo ENOTFOUND')
}

describe('a multiaddr', () => {
  it('leads to a host and a port', () => {
    expect(placeOf('/ip4/192.0.2.7/tcp/51821')).toEqual({ host: '192.0.2.7', port: 51_821 })
    expect(placeOf(`/ip6/2001:db8:0::7/tcp/51821/p2p/${id}`)).toEqual({ host: '2001:db8::7', port: 51_821 })
    expect(placeOf('/dns4/VPS.example.org/tcp/1')).toEqual({ host: 'vps.example.org', port: 1 })
  })

  it.each([
    '',
    '/ip4/192.0.2.7',
    '/ip4/192.0.2.7/udp/51821',
    '/ip4/192.0.2.7/tcp/0',
    '/ip4/192.0.2.7/tcp/65536',
    '/ip4/2001:db8::7/tcp/1',
    '/ip6/192.0.2.7/tcp/1',
    '/ip4/192.0.2.7/tcp/1/ws',
    `/ip4/192.0.2.7/tcp/1/p2p/${id}/p2p-circuit`,
    '/dns4/bad_name/tcp/1',
    '/unix/socket',
  ])('of another kind leads nowhere: %j', address => {
    expect(placeOf(address)).toBeNull()
  })

  it('is read without an exception, whatever it is', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        placeOf(a)
        placeOf(`/ip4/${a}/tcp/${b}`)
        placeOf(`/dns/${a}/tcp/${b}`)
      }),
      { numRuns: 2000 },
    )
  })
})

describe('the addresses to dial', () => {
  it('are one for an address, and all of a name as of now', async () => {
    const place = { kind: 'host', place: '[2001:db8::7]:51821' as HostPort } as const
    expect(await bootstrapAddresses(place, nobody)).toEqual(['/ip6/2001:db8::7/tcp/51821'])
    const name = { kind: 'host', place: 'vps.example.org:51821' as HostPort } as const
    const resolve = async () => ['192.0.2.7', '2001:db8::7', 'nonsense']
    expect(await bootstrapAddresses(name, resolve)).toEqual([
      '/ip4/192.0.2.7/tcp/51821',
      '/ip6/2001:db8::7/tcp/51821',
    ])
    await expect(bootstrapAddresses(name, nobody)).rejects.toThrow('ENOTFOUND')
  })

  it('are bounded and carry no node id, so that they can be tried at the same time', async () => {
    const addresses = Array.from({ length: 100 }, (_, index) => `192.0.2.${index}`)
    const dialable = await dialableAddresses(
      `/dns/vps.example.org/tcp/1/p2p/${id}`,
      id,
      async () => addresses,
    )
    expect(dialable).toHaveLength(addressesPerPlaceMax)
    expect(dialable.every(address => withoutNode(address) === address)).toBe(true)
  })
})
