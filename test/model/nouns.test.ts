import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseIpAddress } from '../../src/model/address.ts'
import {
  compareSequence,
  isSequence,
  nodeNameFromHostname,
  parseMeshId,
  parseNodeId,
  parseNodeName,
} from '../../src/model/node.ts'
import { scopeOf } from '../../src/model/scope.ts'
import { agreedTunnelMtu, parseVni, segmentMtu, tunnelMtu } from '../../src/model/segment.ts'
import { parseWireguardPublicKey, parseWireguardSecretKey } from '../../src/model/wireguard-key.ts'
import { sure, vtepOf } from '../mesh/world.ts'

describe('scope', () => {
  it.each([
    ['8.8.8.8', 'global'],
    ['2a00::1', 'global'],
    ['203.0.113.1', 'global'],
    ['198.19.255.255', 'global'],
    ['2001:db8::1', 'global'],
    ['10.0.0.1', 'private'],
    ['192.168.1.1', 'private'],
    ['100.64.0.1', 'private'],
    ['fd00::1', 'private'],
    ['169.254.1.1', 'link-local'],
    ['fe80::1', 'link-local'],
    ['127.0.0.1', 'loopback'],
    ['::1', 'loopback'],
    ['0.0.0.0', 'unusable'],
    ['::', 'unusable'],
    ['224.0.0.1', 'unusable'],
    ['ff02::1', 'unusable'],
    ['255.255.255.255', 'unusable'],
    ['240.0.0.1', 'unusable'],
    ['64:ff9b::1', 'unusable'],
  ])('of %s is %s', (text, expected) => {
    const address = sure(parseIpAddress(text))
    expect(scopeOf(address)).toBe(expected)
    expect(scopeOf(address)).toBe(expected)
  })
})

describe('names', () => {
  it.each([
    ['gauss', 'gauss'],
    ['Gauss.example.org', 'gauss'],
    ['My Host!', 'my-host'],
    ['--a--', 'a'],
    ['', 'node'],
    ['...', 'node'],
    ['größe', 'gr-e'],
    ['a'.repeat(70), 'a'.repeat(63)],
    [`${'a'.repeat(62)}-b`, 'a'.repeat(62)],
  ])('hostname %j becomes %s', (hostname, expected) => {
    expect(nodeNameFromHostname(hostname)).toBe(expected)
  })

  it('are valid for whatever hostname', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), hostname => {
        const name = nodeNameFromHostname(hostname)
        expect(parseNodeName(name)).toBe(name)
      }),
    )
  })

  it.each(['', '-a', 'a-', 'A', 'a.b', 'a b', 'a\n', 'a'.repeat(64)])('are not %j', text => {
    expect(parseNodeName(text)).toBeNull()
  })

  it('of nodes and meshes keep to their alphabets', () => {
    const id = `12D3KooW${'z'.repeat(44)}`
    expect(parseNodeId(id)).toBe(id)
    for (const bad of [`${id}z`, id.slice(1), id.replace(/z$/, '0'), id.replace(/z$/, 'l'), `${id}\n`, ''])
      expect(parseNodeId(bad)).toBeNull()
    expect(parseMeshId('0'.repeat(32))).toBe('0'.repeat(32))
    for (const bad of ['0'.repeat(31), 'A'.repeat(32), `${'0'.repeat(32)}\n`, ''])
      expect(parseMeshId(bad)).toBeNull()
  })
})

describe('sequences', () => {
  it('are ordered by incarnation, then counter', () => {
    const part = fc.integer({ min: 0, max: 3 })
    const sequence = fc.record({ incarnation: part, counter: part })
    fc.assert(
      fc.property(sequence, sequence, (a, b) => {
        const rank = (value: typeof a) => value.incarnation * 10 + value.counter
        expect(Math.sign(compareSequence(a, b))).toBe(Math.sign(rank(a) - rank(b)))
      }),
    )
  })

  it.each([-1, 0.5, Number.NaN, 2 ** 48 + 1, Number.POSITIVE_INFINITY])('do not hold %d', bad => {
    expect(isSequence({ incarnation: bad, counter: 0 })).toBe(false)
    expect(isSequence({ incarnation: 0, counter: bad })).toBe(false)
    expect(isSequence({ incarnation: 0, counter: 2 ** 48 })).toBe(true)
  })
})

describe('keys', () => {
  it('are base64 of 32 bytes, in the one way to write them', () => {
    for (let round = 0; round < 100; round += 1) {
      const text = randomBytes(32).toString('base64')
      expect(parseWireguardPublicKey(text)).toBe(text)
      expect(parseWireguardSecretKey(text)).toBe(text)
    }
    const zero = `${'A'.repeat(43)}=`
    for (const bad of [
      zero.slice(1),
      `A${zero}`,
      `${'A'.repeat(42)}B=`,
      zero.replace('=', 'A'),
      `${zero}\n`,
      '',
    ])
      expect(parseWireguardPublicKey(bad)).toBeNull()
  })
})

describe('segments', () => {
  it('have numbers of 24 bits', () => {
    for (const good of [1, 49_371, 2 ** 24 - 1]) expect(parseVni(good)).toBe(good)
    for (const bad of [0, -1, 1.5, 2 ** 24, Number.NaN]) expect(parseVni(bad)).toBeNull()
  })

  /** Measured. */
  it('leave room for what is around them', () => {
    const ipv4 = sure(parseIpAddress('192.168.228.1'))
    expect([tunnelMtu(1500), tunnelMtu(1500, 4), tunnelMtu(1492)]).toEqual([1420, 1440, 1412])
    expect([segmentMtu(1420, ipv4), segmentMtu(1420, vtepOf(1))]).toEqual([1370, 1350])
    expect([tunnelMtu(0), tunnelMtu(1_000_000)]).toEqual([1280, 65_455])
  })

  it('agree on the least MTU that still carries IPv6 in them', () => {
    const ipv4 = sure(parseIpAddress('192.168.228.1'))
    expect(agreedTunnelMtu([1420, 1412, 9000], ipv4)).toBe(1412)
    for (const vtep of [ipv4, vtepOf(1)])
      expect(segmentMtu(agreedTunnelMtu([1420, 1280], vtep), vtep)).toBe(1280)
  })
})
