import { encode } from 'cborg'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { holdsOf } from '../../src/mesh/claims.ts'
import { decodeAnnouncement, encodeAnnouncement } from '../../src/mesh/codec.ts'
import { compose, heartbeatSeconds, nextHeartbeatAt, saysTheSame } from '../../src/mesh/compose.ts'
import { credulous } from '../../src/mesh/judgement.ts'
import { encodeOverlayAddress } from '../../src/mesh/segment-codec.ts'
import { settle } from '../../src/mesh/settle.ts'
import { verify } from '../../src/mesh/verify.ts'
import type { HostPort, InterfaceAddress, InterfaceName, IpAddress } from '../../src/model/address.ts'
import { noClaims, type OwnClaims, type OwnOverlayClaim } from '../../src/model/claims.ts'
import type { Configuration } from '../../src/model/configuration.ts'
import type { Facts } from '../../src/model/facts.ts'
import {
  announcementCostBytes,
  heartbeatSecondsMax,
  idleGossipBytesPerSecond,
  sequenceNumberMax,
} from '../../src/model/limits.ts'
import { compareSequence } from '../../src/model/node.ts'
import type { OverlayAddress, Vni } from '../../src/model/segment.ts'
import {
  configuration,
  facts,
  mesh,
  nodeId,
  publicKey,
  segmentConfiguration,
  sure,
  tunnelConfiguration,
  vni,
  vtepOf,
  wallSeconds,
} from './world.ts'

const self = { node: nodeId(1), publicKey: publicKey(1), software: '0.1.0' }
const sequence = { incarnation: 3, counter: 7 }

describe('what a node says of itself', () => {
  it('is what it is configured as, what it found, and what it holds', () => {
    const config = configuration(1, {
      tunnel: tunnelConfiguration({ endpoints: ['vps.example.org:51820' as HostPort] }),
    })
    expect(compose(self, sequence, config, facts(1), claimsOf(config), 2)).toMatchInlineSnapshot(`
      {
        "declaredBy": null,
        "endpoints": [
          {
            "kind": "configured",
            "place": "vps.example.org:51820",
          },
          {
            "kind": "public",
            "place": "203.0.0.1:51820",
          },
        ],
        "gateway": null,
        "gossip": [
          "/dns/vps.example.org/tcp/51821",
          "/ip4/203.0.0.1/tcp/51821",
        ],
        "heartbeatSeconds": 167,
        "left": false,
        "mtu": 1420,
        "name": "node1",
        "node": "12D3KooW11111111111111111111111111111111111111111112",
        "privileged": false,
        "publicKey": "AAAAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "segments": [
          {
            "addresses": [
              {
                "address": "192.168.102.25/24",
                "pinned": false,
                "since": 1795343400,
              },
              {
                "address": "fd88:43dc:bb57:32c9:675c:5f6:92c5:37bc/64",
                "pinned": false,
                "since": 0,
              },
            ],
            "mac": "9e:c9:b8:47:c5:83",
            "vni": 49371,
          },
        ],
        "sequence": {
          "counter": 7,
          "incarnation": 3,
        },
        "software": "0.1.0",
        "vtep": "fd60:a1ff:9a6c:e826:675c:5f6:92c5:37bc",
        "vtepClaim": {
          "pinned": false,
          "since": 0,
        },
      }
    `)
  })

  it('is nothing while it has no VTEP', () => {
    expect(compose(self, sequence, configuration(1), facts(1), noClaims, 0)).toBeNull()
  })

  it('is taken by everyone', () => {
    const said = sure(compose(self, sequence, configuration(1), facts(1), claimsOf(configuration(1)), 0))
    expect(verify({ author: nodeId(1), payload: encodeAnnouncement(said) }, mesh)).toEqual({
      ok: true,
      announcement: said,
    })
  })

  it('does not name segments that are no longer configured', () => {
    const said = compose(
      self,
      sequence,
      configuration(1, { segments: [] }),
      facts(1),
      claimsOf(configuration(1)),
      0,
    )
    expect(said?.segments).toEqual([])
  })
})

describe('an announcement', () => {
  /** The configuration was just changed, and the claims kept on disk are still those of the former one. */
  it('fits whatever claims are left from a former configuration, pinned ones first', () => {
    const claim = fc.record({
      vni: fc.constantFrom(...([1, 2, 3] as Vni[])),
      address: fc
        .ipV6()
        .map(text => new URL(`http://[${text}]/`).hostname.slice(1, -1))
        .map(text => `${text}/64` as InterfaceAddress),
      since: fc.integer({ min: 0, max: 2 ** 33 }),
      pinned: fc.boolean(),
    })
    const overlay = fc
      .uniqueArray(claim, { maxLength: 48, minLength: 20, selector: each => each.address })
      .filter(list => list.every(({ address }) => !/^::(ffff:)?[\d.]/.test(address)))
    fc.assert(
      fc.property(overlay, fc.integer({ min: 1, max: 16 }), (list, count) => {
        const said = sure(compose(...composed(list, count)))
        const decoded = decodeAnnouncement(encodeAnnouncement(said))
        expect(decoded).toEqual({ ok: true, announcement: said })
        expect(said.segments.map(segment => segment.vni)).toEqual(
          Array.from({ length: count }, (_, index) => index + 1),
        )
        const kept = said.segments.flatMap(segment => segment.addresses)
        const possible = list.filter(each => each.vni <= count)
        const left = possible.filter(each => !kept.some(({ address }) => address === each.address))
        const isCrowded = (number: Vni) =>
          sure(said.segments.find(each => each.vni === number)).addresses.length === 16
        for (const refused of left.filter(each => each.pinned && !isCrowded(each.vni)))
          for (const instead of kept.filter(each => !each.pinned))
            expect(sizeOf(instead)).toBeLessThan(sizeOf(refused))
        if (left.length === 0) expect(kept.length).toBe(possible.length)
      }),
      { numRuns: 200, endOnFailure: true },
    )
  })

  function composed(overlay: readonly OwnOverlayClaim[], count: number): Parameters<typeof compose> {
    const segments = Array.from({ length: count }, (_, index) =>
      segmentConfiguration({ interface: `vlnet${index}` as InterfaceName, vni: (index + 1) as Vni }),
    )
    const config = configuration(1, { segments, name: 'n'.repeat(63) as Configuration['name'] })
    const claims: OwnClaims = { vtep: { address: vtepOf(1), since: wallSeconds, pinned: true }, overlay }
    const greatest = { incarnation: sequenceNumberMax, counter: sequenceNumberMax }
    return [{ ...self, software: '9'.repeat(32) }, greatest, config, manyAddresses, claims, 20_000]
  }
})

describe('two announcements', () => {
  const said = sure(compose(self, sequence, configuration(1), facts(1), claimsOf(configuration(1)), 0))

  it('say the same whatever their number, and however soon the next one is due', () => {
    const later = { ...said, sequence: { incarnation: 4, counter: 0 }, heartbeatSeconds: 600 }
    expect(compareSequence(later.sequence, said.sequence)).toBeGreaterThan(0)
    expect(saysTheSame(said, later)).toBe(true)
  })

  it('say something else when anything of substance changes', () => {
    const changes = [
      { left: true },
      { mtu: 1400 },
      { endpoints: [] },
      { gossip: [] },
      { segments: [] },
      { name: 'other' as Configuration['name'] },
      { vtepClaim: { since: 5, pinned: false } },
    ]
    for (const change of changes) expect(saysTheSame(said, { ...said, ...change })).toBe(false)
  })
})

describe('the heartbeat', () => {
  it('is as configured in a small mesh, and slower in a large one', () => {
    expect(heartbeatSeconds(60, 0)).toBe(60)
    const [small, large] = [heartbeatSeconds(60, 10), heartbeatSeconds(60, 1000)]
    expect(small).toBeGreaterThanOrEqual(60)
    expect(large).toBeGreaterThan(small)
    expect(heartbeatSeconds(60, 1e9)).toBe(heartbeatSecondsMax)
    expect(Number.isInteger(heartbeatSeconds(60, 12_345))).toBe(true)
  })

  it('costs what it may when all are spoken as soon as they mostly are', () => {
    for (const members of [10, 100, 1000]) {
      const spoken = {
        now: 0,
        secondsBefore: 1e9,
        dueAt: null,
        intervalSeconds: heartbeatSeconds(60, members),
      }
      const cost = (members * announcementCostBytes * 1000) / nextHeartbeatAt(spoken, 0.5)
      expect(cost).toBeLessThanOrEqual(idleGossipBytesPerSecond)
      expect(cost).toBeGreaterThan(0.99 * idleGossipBytesPerSecond)
    }
  })

  it('is never later than promised, and spread out when the interval is a new one', () => {
    const next = (secondsBefore: number | null, random: number, dueAt: number | null = null) =>
      nextHeartbeatAt({ now: 5, intervalSeconds: 100, secondsBefore, dueAt }, random) - 5
    expect(next(100, 0)).toBe(80_000)
    expect(next(80, 0.5)).toBe(90_000)
    expect(next(null, 0)).toBe(50_000)
    expect(next(60, 0, 1000)).toBe(50_000)
    for (const before of [null, 60, 100, 200]) expect(next(before, 1)).toBe(100_000)
  })

  it('is not put off by news', () => {
    const news = { now: 5, intervalSeconds: 100, secondsBefore: 100 }
    expect(nextHeartbeatAt({ ...news, dueAt: 30_000 }, 0)).toBe(30_000)
    expect(nextHeartbeatAt({ ...news, dueAt: 300_000 }, 0)).toBe(80_005)
  })
})

/** More than an announcement has room for. */
const manyAddresses: Facts = {
  ...facts(1),
  addresses: Array.from({ length: 30 }, (_, index) => ({
    ...sure(facts(1).addresses[0]),
    address: `2001:db8:1234:5678:9abc:def0:1234:${(0x1000 + index).toString(16)}` as IpAddress,
  })),
}

function sizeOf(address: OverlayAddress): number {
  return encode(encodeOverlayAddress(address)).length
}

function claimsOf(config: Configuration): OwnClaims {
  const rules = {
    node: nodeId(1),
    mesh,
    tunnel: config.tunnel,
    segments: config.segments,
    mayChoose: true,
    judgement: credulous,
  }
  const { claims } = settle(noClaims, holdsOf([]), rules, wallSeconds)
  expect(claims.overlay.every(claim => claim.vni === vni)).toBe(true)
  return claims
}
