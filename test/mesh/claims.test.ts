import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  compareHolds,
  type Hold,
  type HoldSource,
  holdsOf,
  overlayKey,
  ownerOf,
  ownHolds,
  segmentPrefixes,
  tunnelPrefix,
} from '../../src/mesh/claims.ts'
import { vtepPrefix } from '../../src/mesh/derive.ts'
import { claimRanks } from '../../src/mesh/judgement.ts'
import { addressOf, type InterfaceAddress, type IpAddress, type Prefix } from '../../src/model/address.ts'
import { noClaims } from '../../src/model/claims.ts'
import {
  announcement,
  mesh,
  nodeId,
  overlayAddress,
  segmentConfiguration,
  tunnelConfiguration,
  vni,
  vtepOf,
} from './world.ts'

const address = '192.168.102.7' as IpAddress

describe('the owner of an address', () => {
  it.each<[string, readonly Hold[], number | null]>([
    ['nobody', [], null],
    ['whoever holds it alone', [hold(3, 9)], 3],
    ['the older claim', [hold(1, 20), hold(2, 10), hold(3, 30)], 2],
    ['the pinned one, however young', [hold(1, 10), hold(2, 99, true)], 2],
    ['the older of two pinned ones', [hold(1, 20, true), hold(2, 10, true)], 2],
    ['the lower id when all else is equal', [hold(2, 10), hold(1, 10)], 1],
  ])('is %s', (_, holds, owner) => {
    expect(ownerOf(address, holds)).toBe(owner === null ? null : nodeId(owner))
  })

  it('is whoever derives it, whatever others claim', () => {
    const liar = { ...hold(1, 0, true) }
    expect(ownerOf(vtepOf(2), [liar, hold(2, 99)])).toBe(nodeId(2))
    expect(ownerOf(vtepOf(2), [liar])).toBe(nodeId(1))
  })

  it('is the same in whatever order the holds are read', () => {
    const anyHold = fc.record({
      number: fc.integer({ min: 1, max: 9 }),
      since: fc.integer({ min: 0, max: 2 }),
      pinned: fc.boolean(),
    })
    const holds = fc.uniqueArray(anyHold, { maxLength: 6, selector: each => each.number })
    fc.assert(
      fc.property(holds, fc.constantFrom(address, vtepOf(3)), (list, held) => {
        const read = list.map(({ number, since, pinned }) => hold(number, since, pinned))
        const owner = ownerOf(held, read)
        expect(ownerOf(held, read.toReversed())).toBe(owner)
        expect(
          ownerOf(
            held,
            read.toSorted((a, b) => a.since - b.since),
          ),
        ).toBe(owner)
        const winner = read.find(({ node }) => node === owner)
        if (winner !== undefined)
          for (const other of read) expect(compareHolds(held, winner, other)).toBeLessThanOrEqual(0)
      }),
    )
  })
})

describe('holds', () => {
  it('are what is announced, but for those who left', () => {
    const { vteps, overlay } = holdsOf([announcement(1), announcement(2, { left: true })])
    expect([...vteps.keys()]).toEqual([vtepOf(1)])
    expect(overlay.get(overlayKey(vni, addressOf(overlayAddress(1))))).toEqual([hold(1, 1_700_000_000)])
    expect(overlay.get(overlayKey(vni, addressOf(overlayAddress(2))))).toBeUndefined()
  })

  it('of different segments have nothing to do with each other', () => {
    const keys = [1, 2].map(number => overlayKey(number as typeof vni, address))
    expect(keys[0]).not.toBe(keys[1])
  })

  it('of our own are those we announce: none without a VTEP', () => {
    const overlay = [{ vni, address: overlayAddress(1), since: 5, pinned: false }]
    expect(ownHolds(nodeId(1), noClaims)).toEqual([])
    expect(ownHolds(nodeId(1), { vtep: null, overlay })).toEqual([])
    const vtep = { address: vtepOf(1), since: 0, pinned: false }
    const read = holdsOf(ownHolds(nodeId(1), { vtep, overlay }))
    const said: HoldSource = {
      ...announcement(1),
      segments: [{ vni, addresses: [{ address: overlayAddress(1), since: 5, pinned: false }] }],
    }
    expect(read.overlay).toEqual(holdsOf([said]).overlay)
    expect([...read.vteps.keys()]).toEqual([vtepOf(1)])
  })
})

describe('networks', () => {
  it('of a segment are those configured, and a derived one where no IPv6 is', () => {
    const prefixes = (changes: object) => segmentPrefixes(segmentConfiguration(changes), mesh)
    expect(prefixes({})).toEqual(['192.168.102.0/24', 'fd88:43dc:bb57:32c9::/64'])
    expect(prefixes({ prefixes: [] })).toEqual(['fd88:43dc:bb57:32c9::/64'])
    expect(prefixes({ prefixes: ['fd00::/64' as Prefix] })).toEqual(['fd00::/64'])
    expect(prefixes({ prefixes: [], addresses: ['10.9.8.7/16' as InterfaceAddress] })).toEqual([
      '10.9.0.0/16',
      'fd88:43dc:bb57:32c9::/64',
    ])
  })

  it('of the tunnel is the configured one, else the mesh’s', () => {
    expect(tunnelPrefix(tunnelConfiguration(), mesh)).toBe(vtepPrefix(mesh))
    expect(tunnelPrefix(tunnelConfiguration({ prefix: '192.168.228.0/24' as Prefix }), mesh)).toBe(
      '192.168.228.0/24',
    )
  })
})

function hold(number: number, since: number, pinned = false): Hold {
  return { node: nodeId(number), since, pinned, rank: claimRanks.live }
}

describe('the derived network of a segment', () => {
  it('is left out where it is not wanted', () => {
    const without = segmentConfiguration({ deriveIpv6: false })
    expect(segmentPrefixes(without, mesh)).toEqual(['192.168.102.0/24'])
    expect(segmentPrefixes(segmentConfiguration(), mesh)).toHaveLength(2)
  })
})
