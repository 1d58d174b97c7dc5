import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  candidateAddress,
  derivedAddress,
  keyFingerprint,
  pairRank,
  segmentMac,
  segmentPrefix,
  usableHosts,
  vtepPrefix,
} from '../../src/mesh/derive.ts'
import {
  isHostOf,
  type Prefix,
  parseMacAddress,
  parsePrefix,
  prefixContains,
} from '../../src/model/address.ts'
import type { MeshId } from '../../src/model/node.ts'
import type { Vni } from '../../src/model/segment.ts'
import type { WireguardSecretKey } from '../../src/model/wireguard-key.ts'
import { mesh, nodeId, vni } from './world.ts'

const nodes = Array.from({ length: 500 }, (_, number) => nodeId(number))

describe('derivation', () => {
  /** Every deployed mesh hangs on these: a changed value renumbers it. */
  it('never changes', () => {
    expect([
      vtepPrefix(mesh),
      segmentPrefix(mesh, vni),
      derivedAddress(nodeId(1), vtepPrefix(mesh)),
      derivedAddress(nodeId(1), segmentPrefix(mesh, vni)),
      segmentMac(nodeId(1), vni),
      candidateAddress(nodeId(1), '192.168.102.0/24' as Prefix, 0),
      keyFingerprint(`${'A'.repeat(43)}=` as WireguardSecretKey),
      pairRank(nodeId(1), nodeId(2)),
    ]).toMatchInlineSnapshot(`
      [
        "fd60:a1ff:9a6c:e826::/64",
        "fd88:43dc:bb57:32c9::/64",
        "fd60:a1ff:9a6c:e826:675c:5f6:92c5:37bc",
        "fd88:43dc:bb57:32c9:675c:5f6:92c5:37bc",
        "9e:c9:b8:47:c5:83",
        "192.168.102.25",
        "0b342f4efa07357c",
        3020519861,
      ]
    `)
  })

  it('gives each mesh and segment a network of its own', () => {
    const other = 'ff'.repeat(16) as MeshId
    const prefixes = [
      vtepPrefix(mesh),
      vtepPrefix(other),
      ...[mesh, other].flatMap(id => [1, 2].map(number => segmentPrefix(id, number as Vni))),
    ]
    expect(new Set(prefixes).size).toBe(prefixes.length)
    for (const prefix of prefixes) {
      expect(parsePrefix(prefix)).toBe(prefix)
      expect(prefix).toMatch(/^fd[0-9a-f]{2}:.*::\/64$/)
    }
  })

  it('gives each node addresses of its own', () => {
    const prefix = vtepPrefix(mesh)
    const addresses = nodes.map(node => derivedAddress(node, prefix))
    expect(new Set(addresses).size).toBe(nodes.length)
    expect(addresses.every(address => prefixContains(prefix, address))).toBe(true)
    expect(derivedAddress(nodeId(1), '2001:db8::/32' as Prefix)).toMatch(/^2001:db8::/)
  })

  it('gives each node MACs of its own that the kernel takes', () => {
    const macs = nodes.flatMap(node => [segmentMac(node, vni), segmentMac(node, 1 as Vni)])
    expect(new Set(macs).size).toBe(macs.length)
    for (const mac of macs) {
      expect(parseMacAddress(mac)).toBe(mac)
      expect(Number.parseInt(mac.slice(0, 2), 16) & 3).toBe(2)
    }
  })

  it('offers every host of an IPv4 network once and nothing else', () => {
    const lengths = fc.integer({ min: 22, max: 32 })
    fc.assert(
      fc.property(fc.constantFrom(...nodes), lengths, (node, length) => {
        const prefix = `10.${length}.0.0/${length}` as Prefix
        const { count } = usableHosts(prefix)
        const offered = Array.from({ length: count }, (_, attempt) => candidateAddress(node, prefix, attempt))
        expect(new Set(offered).size).toBe(count)
        expect(offered.every(address => isHostOf(prefix, address))).toBe(true)
        expect(count).toBe(length >= 31 ? 2 ** (32 - length) : 2 ** (32 - length) - 2)
      }),
      { numRuns: 30 },
    )
  })

  it('spreads nodes over a network', () => {
    const firsts = nodes.map(node => candidateAddress(node, '10.0.0.0/8' as Prefix, 0))
    expect(new Set(firsts).size).toBeGreaterThan(495)
    expect(() => candidateAddress(nodeId(1), vtepPrefix(mesh), 0)).toThrow(RangeError)
  })

  it('ranks a pair alike from both ends', () => {
    const node = fc.constantFrom(...nodes)
    fc.assert(fc.property(node, node, (a, b) => pairRank(a, b) === pairRank(b, a)))
    const ranks = nodes.slice(1).map(node => pairRank(nodeId(0), node))
    expect(new Set(ranks).size).toBeGreaterThan(495)
  })
})
