import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseConfiguration } from '../../src/host/config.ts'
import { holdsOf } from '../../src/mesh/claims.ts'
import { decodeAnnouncement, encodeAnnouncement } from '../../src/mesh/codec.ts'
import { compose } from '../../src/mesh/compose.ts'
import { gossipAddresses, tunnelEndpoints } from '../../src/mesh/compose-endpoints.ts'
import { credulous } from '../../src/mesh/judgement.ts'
import { type ClaimRules, settle } from '../../src/mesh/settle.ts'
import { hostPrefix, type InterfaceName, type IpAddress, type Prefix } from '../../src/model/address.ts'
import { noClaims } from '../../src/model/claims.ts'
import type { Configuration } from '../../src/model/configuration.ts'
import type { Facts } from '../../src/model/facts.ts'
import {
  announcementBytesMax,
  gatewayRoutesMax,
  sequenceNumberMax,
  softwareCharactersMax,
} from '../../src/model/limits.ts'
import type { MeshId, NodeId } from '../../src/model/node.ts'
import type { WireguardPublicKey } from '../../src/model/wireguard-key.ts'

const node = '12D3KooWGRUfiw9eZoTTMMzkBJwvJu3zZm5jUgRnaUSUXhB5TZqo' as NodeId
const mesh = 'ab'.repeat(16) as MeshId

describe('endpoints', () => {
  it('are those configured, then those found in their order, each once', () => {
    const configuration = configured(
      'tunnel: {endpoints: [vps.example.org:1000, "[2001:db8::9]:1", 198.51.100.1]}',
    )
    const facts = factsOf('198.51.100.1', '2001:db8::7', '10.0.0.7')
    expect(tunnelEndpoints(configuration, facts)).toEqual([
      { place: 'vps.example.org:1000', kind: 'configured' },
      { place: '[2001:db8::9]:1', kind: 'configured' },
      { place: '198.51.100.1:51820', kind: 'configured' },
      { place: '[2001:db8::7]:51820', kind: 'public' },
      { place: '10.0.0.7:51820', kind: 'lan' },
    ])
    expect(gossipAddresses(configuration, facts)).toEqual([
      '/dns/vps.example.org/tcp/51821',
      '/ip6/2001:db8::9/tcp/51821',
      '/ip4/198.51.100.1/tcp/51821',
      '/ip6/2001:db8::7/tcp/51821',
      '/ip4/10.0.0.7/tcp/51821',
    ])
  })
})

describe('an announcement', () => {
  const longest = Array.from(
    { length: 30 },
    (_, i) => `2001:db8:1234:5678:9abc:def0:1234:${(0x1000 + i).toString(16)}`,
  )
  const name = `name: ${'n'.repeat(63)}\n`

  it.each<[string, string]>([
    ['one segment', ''],
    ['as many segments as are taken', `segments: [${segments(7)}]`],
    ['a segment full of addresses', `segments: [{prefixes: [10.0.0.0/8], addresses: [${hosts(15)}]}]`],
    [
      'long names',
      `tunnel: {endpoints: [${`${'a'.repeat(60)}.`.repeat(3)}a:65535, ${`${'b'.repeat(60)}.`.repeat(3)}b:65535]}`,
    ],
  ])('always fits and is taken: many addresses, %s', (_, text) => {
    expect(encodedBytes(configured(name + text), factsOf(...longest))).toBeLessThanOrEqual(
      announcementBytesMax,
    )
  })

  it('always fits and is taken, whatever configuration is', () => {
    const segment = fc.record({ v4: fc.nat(2), v6: fc.nat(2), pinned4: fc.nat(17), pinned6: fc.nat(8) })
    let taken = 0
    fc.assert(
      fc.property(fc.array(segment, { maxLength: 16 }), fc.nat(30), (list, addresses) => {
        const text = list.map((part, index) => segmentText(part, index)).join(', ')
        const loaded = parseConfiguration(`${name}mesh: {secret_file: /s}\nsegments: [${text}]\n`, 'gauss')
        // What is too much is refused before it is ever announced.
        if (!loaded.ok) return
        taken += 1
        encodedBytes(loaded.configuration, factsOf(...longest.slice(0, addresses)))
      }),
      { numRuns: 500 },
    )
    expect(taken).toBeGreaterThan(50)
  })
})

/** Throws when the announcement is too long; checks that others take it. */
function encodedBytes(configuration: Configuration, facts: Facts): number {
  const { tunnel, segments } = configuration
  const rules: ClaimRules = { node, mesh, tunnel, segments, mayChoose: true, judgement: credulous }
  const { claims } = settle(noClaims, holdsOf([]), rules, 2 ** 32 - 1)
  const publicKey = `${'A'.repeat(43)}=` as WireguardPublicKey
  const self = { node, publicKey, software: 'v'.repeat(softwareCharactersMax) }
  const sequence = { incarnation: sequenceNumberMax, counter: sequenceNumberMax }
  const gateway = {
    interface: 'eth0' as InterfaceName,
    segments: segments.map(segment => segment.interface),
    nat: true,
    everywhere: true,
    routes: Array.from({ length: gatewayRoutesMax }, (_, index) => `10.${index}.0.0/16` as Prefix),
  }
  const announcement = compose(self, sequence, { ...configuration, gateway }, facts, claims, 20_000, {
    isGateway: true,
    privileged: true,
  })
  if (announcement === null) throw new Error('no VTEP address')
  const bytes = encodeAnnouncement(announcement)
  expect(decodeAnnouncement(bytes)).toMatchObject({ ok: true })
  return bytes.length
}

function configured(text: string): Configuration {
  const loaded = parseConfiguration(`mesh: {secret_file: /s}\n${text}\n`, 'gauss')
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems))
  return loaded.configuration
}

function factsOf(...addresses: readonly string[]): Facts {
  return {
    addresses: addresses.map(address => ({
      address: address as IpAddress,
      network: hostPrefix(address as IpAddress),
      interface: 'eth0' as InterfaceName,
      kind: 'physical' as const,
    })),
    pathMtu: 1500,
    waysOut: ['eth0'],
  }
}

function segments(count: number): string {
  return Array.from(
    { length: count },
    (_, i) => `{interface: v${i}, vni: ${2 ** 24 - 1 - i}, prefixes: [100.${i + 64}.0.0/16]}`,
  ).join(', ')
}

function hosts(count: number): string {
  return Array.from({ length: count }, (_, i) => `10.200.200.${i + 100}/8`).join(', ')
}

function segmentText(part: Record<'v4' | 'v6' | 'pinned4' | 'pinned6', number>, index: number): string {
  const times = (count: number, text: (i: number) => string) =>
    Array.from({ length: count }, (_, i) => text(i))
  const prefixes = [
    ...times(part.v4, i => `10.${index}.${128 + i}.0/24`),
    ...times(part.v6, i => `"fd00:1111:2222:${1000 + index * 10 + i}::/64"`),
  ]
  const pinned = [
    ...(part.v4 === 0 ? [] : times(part.pinned4, i => `10.${index}.128.${i + 100}/24`)),
    ...(part.v6 === 0
      ? []
      : times(part.pinned6, i => `"fd00:1111:2222:${1000 + index * 10}:1111:1111:1111:${1000 + i}/64"`)),
  ]
  const addresses = pinned.length === 0 ? 'auto' : `[${pinned.join(', ')}]`
  return `{interface: v${index}, vni: ${16_000_000 + index}, prefixes: [${prefixes.join(', ')}], addresses: ${addresses}}`
}
