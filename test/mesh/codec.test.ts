import { encode } from 'cborg'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeAnnouncement, encodeAnnouncement } from '../../src/mesh/codec.ts'
import type { Prefix } from '../../src/model/address.ts'
import { ignoreReasons, rejectReasons } from '../../src/model/announcement.ts'
import { announcementBytesMax } from '../../src/model/limits.ts'
import { anyAnnouncement, anyDeclaration } from './announcements.ts'
import { announcement, sure } from './world.ts'

describe('an announcement', () => {
  it('is read as it was written, byte for byte', () => {
    fc.assert(
      fc.property(fc.oneof(anyAnnouncement, anyDeclaration), said => {
        const bytes = encodeAnnouncement(said)
        expect(decodeAnnouncement(bytes)).toEqual({ ok: true, announcement: said })
        expect(encodeAnnouncement(structuredClone(said))).toEqual(bytes)
      }),
      { numRuns: 300 },
    )
  })

  it('of an ordinary node takes about 400 bytes', () => {
    expect(encodeAnnouncement(announcement(1)).length).toBeLessThan(420)
  })

  it('keeps what later versions add apart', () => {
    expect(decodeAnnouncement(bytesWith([100, { anything: ['at', 'all'] }]))).toEqual({
      ok: true,
      announcement: announcement(1, { privileged: false }),
    })
  })

  it('leaves out what 0.1.0 does not know where it says nothing', () => {
    const [plain, more] = [false, true].map(privileged => encodeAnnouncement(announcement(1, { privileged })))
    expect(sure(more).length - sure(plain).length).toBe(2)
    expect(decodeAnnouncement(bytesWith([17, true]))).toEqual({
      ok: true,
      announcement: announcement(1, { privileged: true }),
    })
    expect(decodeAnnouncement(bytesWith([17, 1]))).toMatchObject({ ok: false, reason: 'malformed' })
  })

  it('over the limit is our own bug', () => {
    const gossip = Array.from({ length: 40 }, (_, index) => `${index}`.padStart(100, '/'))
    expect(() => encodeAnnouncement(announcement(1, { gossip }))).toThrow(RangeError)
  })
})

describe('what a gateway offers', () => {
  const offer = { everywhere: true, segments: [0], routes: ['10.20.0.0/16', '10.21.0.0/16'] as Prefix[] }

  it('is read as it was written, and passed over by those who do not know it', () => {
    const said = announcement(1, { gateway: offer })
    expect(decodeAnnouncement(encodeAnnouncement(said))).toEqual({ ok: true, announcement: said })
  })

  it.each<[string, unknown]>([
    ['no list', true],
    ['no truth', [1, [0], new Uint8Array()]],
    ['a segment that is not there', [true, [1], new Uint8Array()]],
    ['a segment twice', [true, [0, 0], new Uint8Array()]],
    ['half a route', [true, [0], Uint8Array.of(10, 20, 0, 0)]],
    ['a route with host bits', [true, [0], Uint8Array.of(10, 20, 0, 1, 16)]],
    ['a route that is too long', [true, [0], Uint8Array.of(10, 20, 0, 0, 33)]],
    ['routes out of order', [true, [0], Uint8Array.of(10, 21, 0, 0, 16, 10, 20, 0, 0, 16)]],
    ['a route twice', [true, [0], Uint8Array.of(10, 21, 0, 0, 16, 10, 21, 0, 0, 16)]],
    [
      'too many routes',
      [
        true,
        [0],
        Uint8Array.from({ length: 45 }, (_, i) =>
          i % 5 === 4 ? 16 : i % 5 === 0 ? 10 : i % 5 === 1 ? i : 0,
        ),
      ],
    ],
  ])('is malformed with %s', (_, value) => {
    expect(decodeAnnouncement(bytesWith([16, value]))).toMatchObject({ kind: 'reject', reason: 'malformed' })
  })
})

describe('hostile bytes', () => {
  it.each<[string, readonly [number, unknown], string]>([
    ['another version', [0, 3], 'unknown-version'],
    ['a declaration by nobody', [0, 2], 'malformed'],
    ['a segment without a MAC', [10, [[7, null, []]]], 'malformed'],
    ['no version', [0, undefined], 'malformed'],
    ['a version in words', [0, '1'], 'malformed'],
    ['a node that is none', [1, '12D3KooW'], 'malformed'],
    ['no node', [1, undefined], 'malformed'],
    ['a negative counter', [3, -1], 'malformed'],
    ['a counter beyond its bound', [3, 2 ** 50], 'malformed'],
    ['a name with a newline', [4, 'a\nb'], 'malformed'],
    ['a name in capitals', [4, 'Gauss'], 'malformed'],
    ['a short key', [5, 'AAAA'], 'malformed'],
    ['an endpoint without a port', [6, [['203.0.113.1', 0]]], 'malformed'],
    ['an endpoint that is not canonical', [6, [['[2001:DB8::1]:1', 0]]], 'malformed'],
    ['an endpoint of a kind that is a property', [6, [['203.0.113.1:1', 'length']]], 'malformed'],
    ['an endpoint of a kind that is a method', [6, [['203.0.113.1:1', 'map']]], 'malformed'],
    ['an endpoint of no kind', [6, [['203.0.113.1:1', 3]]], 'malformed'],
    ['endpoints without end', [6, Array(17).fill(['203.0.113.1:1', 0])], 'over-limits'],
    ['endpoints that are text', [6, '203.0.113.1:1'], 'malformed'],
    ['a VTEP with a length', [7, 'fd00::1/64'], 'malformed'],
    ['a claim of the future in fractions', [8, [0.5, false]], 'malformed'],
    ['a claim that is half pinned', [8, [0, 1]], 'malformed'],
    ['a gossip address with an escape', [9, ['\u001b[2J']], 'over-limits'],
    ['a gossip address too long', [9, ['a'.repeat(129)]], 'over-limits'],
    ['gossip addresses without end', [9, Array(17).fill('a')], 'over-limits'],
    ['a VNI beyond 24 bits', [10, [[2 ** 24, mac, []]]], 'malformed'],
    ['a group MAC', [10, [[1, '03:00:00:00:00:01', []]]], 'malformed'],
    [
      'a segment twice',
      [
        10,
        [
          [1, mac, []],
          [1, mac, []],
        ],
      ],
      'over-limits',
    ],
    [
      'segments out of order',
      [
        10,
        [
          [2, mac, []],
          [1, mac, []],
        ],
      ],
      'over-limits',
    ],
    [
      'segments without end',
      [10, Array.from({ length: 17 }, (_, index) => [index + 1, mac, []])],
      'over-limits',
    ],
    [
      'overlay addresses out of order',
      [10, [[1, mac, [held('10.0.0.2/24'), held('10.0.0.1/24')]]]],
      'over-limits',
    ],
    [
      'one address with two lengths',
      [10, [[1, mac, [held('10.0.0.1/24'), held('10.0.0.1/25')]]]],
      'over-limits',
    ],
    ['a tiny MTU', [11, 1279], 'over-limits'],
    ['a huge MTU', [11, 65_456], 'over-limits'],
    ['a heartbeat without pause', [12, 0], 'over-limits'],
    ['a heartbeat a year', [12, 31_536_000], 'over-limits'],
    ['software with a bell', [13, '\u0007'], 'over-limits'],
    ['software without end', [13, 'a'.repeat(33)], 'over-limits'],
    ['a farewell in numbers', [14, 1], 'malformed'],
    ['a null', [14, null], 'malformed'],
  ])('with %s are refused', (_, change, reason) => {
    expect(decodeAnnouncement(bytesWith(change))).toMatchObject({ ok: false, reason })
  })

  it('are refused whatever they are', () => {
    const bytes = encodeAnnouncement(announcement(1))
    expect(decodeAnnouncement(new Uint8Array())).toMatchObject({ reason: 'malformed' })
    expect(decodeAnnouncement(new Uint8Array([...bytes, 0]))).toMatchObject({ reason: 'malformed' })
    expect(decodeAnnouncement(new Uint8Array(announcementBytesMax + 1))).toMatchObject({
      reason: 'oversized',
    })
    expect(decodeAnnouncement(new Uint8Array(2000).fill(0x81))).toMatchObject({ reason: 'malformed' })
    for (let length = 0; length < bytes.length; length += 1)
      expect(decodeAnnouncement(bytes.subarray(0, length))).toMatchObject({ reason: 'malformed' })
  })

  it('never throw, and get a reason that can be counted', () => {
    const mutated = fc
      .tuple(
        anyAnnouncement,
        fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 5 }),
      )
      .map(([said, changes]) => {
        const bytes = encodeAnnouncement(said).slice()
        for (const [at, value] of changes) bytes[at % bytes.length] = value
        return bytes
      })
    const shuffled = fc
      .dictionary(fc.integer({ min: 0, max: 16 }).map(String), fc.anything({ maxDepth: 3 }))
      .map(record => new Map(Object.entries(record).map(([key, value]) => [Number(key), value])))
      .map(map => encodable(map) ?? new Uint8Array())
    fc.assert(
      fc.property(fc.oneof(mutated, shuffled, fc.uint8Array({ maxLength: 3000 })), bytes => {
        const decoded = decodeAnnouncement(bytes)
        if (decoded.ok) expect(decodeAnnouncement(encodeAnnouncement(decoded.announcement))).toEqual(decoded)
        else expect(decoded.kind === 'reject' ? rejectReasons : ignoreReasons).toContain(decoded.reason)
      }),
      { numRuns: 3000 },
    )
  })
})

const mac = '02:00:00:00:00:01'

function held(address: string): readonly unknown[] {
  return [address, 0, false]
}

/** A valid announcement with one field changed, added, or, when undefined, left out. */
function bytesWith([key, value]: readonly [number, unknown]): Uint8Array {
  const said = announcement(1)
  const [segment] = said.segments
  const { vni, addresses } = sure(segment)
  const fields = new Map<number, unknown>([
    [0, 1],
    [1, said.node],
    [2, said.sequence.incarnation],
    [3, said.sequence.counter],
    [4, said.name],
    [5, said.publicKey],
    [6, said.endpoints.map(({ place }) => [place, 1])],
    [7, said.vtep],
    [8, [said.vtepClaim.since, said.vtepClaim.pinned]],
    [9, said.gossip],
    [10, [[vni, sure(segment).mac, addresses.map(({ address, since, pinned }) => [address, since, pinned])]]],
    [11, said.mtu],
    [12, said.heartbeatSeconds],
    [13, said.software],
    [14, said.left],
  ])
  if (value === undefined) fields.delete(key)
  else fields.set(key, value)
  return encode(fields)
}

function encodable(value: unknown): Uint8Array | null {
  try {
    return encode(value)
  } catch {
    return null
  }
}
