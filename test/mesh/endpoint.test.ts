import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decideEndpoint, endpointDueAt, rankEndpoints, type Surroundings } from '../../src/mesh/endpoint.ts'
import {
  newTrack,
  noteNews,
  observeTunnel,
  type TunnelTrack,
  tunnelLiveness,
} from '../../src/mesh/liveness.ts'
import type { Endpoint, IpAddress, Prefix } from '../../src/model/address.ts'
import type { EndpointCandidate } from '../../src/model/announcement.ts'
import {
  endpointTrialSecondsMax,
  proofMilliseconds,
  receiveGrowthSecondsMax,
} from '../../src/model/limits.ts'
import { candidate, now, publicKey, reading, sure, wallSeconds } from './world.ts'

const patience = receiveGrowthSecondsMax * 1000
const [lower, higher] = [publicKey(1), publicKey(2)]
const [a, b, c] = ['203.0.113.1:1', '203.0.113.2:1', '203.0.113.3:1'] as unknown as [
  Endpoint,
  Endpoint,
  Endpoint,
]

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

describe('a first contact', () => {
  it('starts with the best and hurries through the rest, then is patient', () => {
    expect(timeline([a, b, c], 50, lower)).toMatchInlineSnapshot(`
      [
        "0 s: start at 203.0.113.1:1",
        "0.3 s: again, anew",
        "1.2 s: again, anew",
        "4 s: try 203.0.113.2:1, anew",
        "4.3 s: again, anew",
        "5.2 s: again, anew",
        "8 s: try 203.0.113.3:1, anew",
        "8.3 s: again, anew",
        "9.2 s: again, anew",
        "23 s: try 203.0.113.1:1, anew",
        "23.3 s: again, anew",
        "24.2 s: again, anew",
        "38 s: try 203.0.113.2:1, anew",
        "38.3 s: again, anew",
        "39.2 s: again, anew",
      ]
    `)
  })

  it('starts later at the side of the higher key', () => {
    expect(timeline([a], 16, higher)).toMatchInlineSnapshot(`
      [
        "0 s: start at 203.0.113.1:1",
        "0.7 s: again, anew",
        "2.2 s: again, anew",
        "15 s: try 203.0.113.1:1, anew",
        "15.7 s: again, anew",
      ]
    `)
  })

  it('ends with the first word after the handshake', () => {
    const heard = hear(decide(undefined, [a, b], now).track, a, now + 200)
    expect(decide(heard, [a, b], now + 10_000)).toEqual({
      track: { ...heard, candidates: [a, b] },
      renew: false,
    })
    expect(endpointDueAt(heard, lower, now + 10_000)).toBe(Number.POSITIVE_INFINITY)
  })

  it('without any candidate waits for the other side', () => {
    const { track, renew } = decide(undefined, [], now)
    expect([track.endpoint, renew, endpointDueAt(track, lower, now)]).toEqual([
      null,
      false,
      Number.POSITIVE_INFINITY,
    ])
    expect(decide(track, [a], now + 1000)).toMatchObject({
      track: { endpoint: a, endpointSetAt: now + 1000 },
      renew: true,
    })
  })

  it('that comes late renews once, not once for each time it missed', () => {
    const { track } = decide(undefined, [a], now)
    const late = decide(track, [a], now + 9000)
    expect(late.renew).toBe(true)
    expect(decide(late.track, [a], now + 9001).renew).toBe(false)
  })
})

describe('a tunnel that is up', () => {
  it('keeps where it is, roamed or not, whatever is announced', () => {
    const places = fc.subarray([a, b, c])
    const moments = fc.integer({ min: 0, max: patience })
    fc.assert(
      fc.property(places, places, moments, fc.boolean(), (before, after, passed, roamed) => {
        fc.pre(before.length > 0)
        const started = decide(undefined, before, now).track
        const endpoint = roamed ? ('198.51.100.9:4242' as Endpoint) : sure(started.endpoint)
        const heard = hear(started, endpoint, now)
        const { track, renew } = decide(heard, after, now + passed)
        const withdrawn = !roamed && after.length > 0 && !after.includes(endpoint)
        if (!withdrawn) expect(track.endpoint).toBe(endpoint)
        expect(renew).toBe(false)
      }),
    )
  })

  it('leaves a place that its author withdrew, without a new session', () => {
    const { track, renew } = decide(up([a, b], a), [b, c], now + 1000)
    expect([track.endpoint, renew]).toEqual([b, false])
  })

  it('does not leave it when the author has no place at all any more, or a name is not resolved', () => {
    expect(decide(up([a], a), [], now + 1000).track.endpoint).toBe(a)
  })

  it('that a restarted daemon finds is left alone', () => {
    const found = observeTunnel(
      undefined,
      reading(2, { endpoint: c, handshakeAt: wallSeconds - 200 }),
      now,
      wallSeconds,
    )
    expect(decide(found, [a, b], now)).toMatchObject({ track: { endpoint: c }, renew: false })
    expect(decide(found, [a, b], now + patience)).toMatchObject({ track: { endpoint: c }, renew: false })
  })
})

describe('a tunnel that fell silent', () => {
  it('is tried elsewhere at once, and from the place it had last', () => {
    const silent = up([a, b], a)
    expect(decide(silent, [a, b], now + patience).renew).toBe(false)
    expect(decide(silent, [a, b], now + patience + 1)).toMatchObject({ track: { endpoint: b }, renew: true })
  })
})

describe('a machine that is off for long', () => {
  const day = 24 * 3600
  const tries = (seconds: number) => timeline([a, b], seconds, lower).filter(line => line.includes('try'))

  it('is tried ever more seldom, but each of its places again and again', () => {
    const seconds = tries(600).map(line => Number(line.split(' ')[0]))
    expect(seconds).toEqual([4, 19, 34, 49, 64, 79, 109, 139, 199, 259, 379, 499])
    expect(tries(day).length).toBeLessThan(day / endpointTrialSecondsMax + 20)
    for (const place of [a, b]) expect(tries(day).at(-1 - Number(place === a))).toContain('try 203')
  })

  it('is tried at once when it is heard, or we are elsewhere, and as often as at first from then on', () => {
    const at = now + day * 1000
    const first = decide(undefined, [a, b], now).track
    const track: TunnelTrack = { ...first, trials: 40, tried: [a, b], endpointSetAt: at, renewals: 2 }
    expect(decide(track, [a, b], at + 60_000).renew).toBe(false)
    const decision = decide(noteNews(track, at + 60_000), [a, b], at + 60_000)
    expect(decision).toMatchObject({ track: { endpoint: b, trials: 1 }, renew: true })
    expect(decide(noteNews(decision.track, at + 61_000), [a, b], at + 61_000).track.endpoint).toBe(b)
  })
})

describe('any decision', () => {
  const track: fc.Arbitrary<TunnelTrack> = fc
    .record({
      endpoint: fc.constantFrom(null, a, b, '198.51.100.9:1' as Endpoint),
      ago: fc.integer({ min: 0, max: 400_000 }),
      grewAgo: fc.option(fc.integer({ min: 0, max: 400_000 })),
      candidates: fc.subarray([a, b, c]),
      tried: fc.subarray([a, b, c]),
      renewals: fc.integer({ min: 0, max: 3 }),
      trials: fc.integer({ min: 0, max: 50 }),
      newsAgo: fc.integer({ min: 0, max: 400_000 }),
      unprovenAgo: fc.option(fc.integer({ min: 0, max: 400_000 })),
    })
    .map(({ ago, grewAgo, unprovenAgo, newsAgo, ...rest }) => ({
      ...newTrack(higher, now),
      ...rest,
      endpointSetAt: now - ago,
      grewAt: grewAgo === null ? null : now - grewAgo,
      newsAt: now - newsAgo,
      unprovenSince: unprovenAgo === null ? null : now - unprovenAgo,
    }))
  const own = fc.constantFrom(lower, publicKey(3))

  it('has its next one in the future, so that nobody spins', () => {
    fc.assert(
      fc.property(
        fc.option(track, { nil: undefined }),
        fc.subarray([a, b, c]),
        own,
        (known, candidates, key) => {
          const decision = decideEndpoint(known, higher, key, candidates, now)
          expect(endpointDueAt(decision.track, key, now)).toBeGreaterThan(now)
          const again = decideEndpoint(decision.track, higher, key, candidates, now)
          expect(again).toEqual({ track: decision.track, renew: false })
        },
      ),
      { numRuns: 1000 },
    )
  })

  it('never makes a session anew that was heard from since its endpoint was set and its node started', () => {
    fc.assert(
      fc.property(track, fc.subarray([a, b, c]), own, (known, candidates, key) => {
        const lastChange = Math.max(
          known.endpointSetAt,
          (known.unprovenSince ?? Number.NEGATIVE_INFINITY) + 1,
        )
        fc.pre(tunnelLiveness(known, now) === 'up' && known.grewAt !== null && known.grewAt >= lastChange)
        expect(decideEndpoint(known, higher, key, candidates, now).renew).toBe(false)
      }),
      { numRuns: 1000 },
    )
  })

  it('sends nowhere but to a candidate or where it already was', () => {
    fc.assert(
      fc.property(track, fc.subarray([a, b, c]), own, (known, candidates, key) => {
        const { endpoint } = decideEndpoint(known, higher, key, candidates, now).track
        expect([known.endpoint, null, ...candidates]).toContain(endpoint)
      }),
    )
  })
})

describe('a tunnel that is up whose node started again', () => {
  const restarted = { ...up([a], a), unprovenSince: now }

  it('is made anew once if nothing came through it since', () => {
    const due = now + proofMilliseconds
    expect(decide(restarted, [a], due - 1)).toEqual({ track: restarted, renew: false })
    expect(endpointDueAt(restarted, lower, now)).toBe(due)
    const decision = decide(restarted, [a], due)
    expect(decision).toEqual({ track: { ...restarted, unprovenSince: null }, renew: true })
    expect(decide(decision.track, [a], due + 1).renew).toBe(false)
  })

  it('is made anew once where it moved as well', () => {
    const due = now + proofMilliseconds
    const moved = decide(restarted, [b], due)
    expect(moved).toMatchObject({ track: { endpoint: b, unprovenSince: null }, renew: true })
    expect(decide(moved.track, [b], due).renew).toBe(false)
  })

  it('is left alone if it answered', () => {
    const answered = { ...restarted, grewAt: now + 1 }
    expect(decide(answered, [a], now + 10_000)).toEqual({ track: answered, renew: false })
    expect(endpointDueAt(answered, lower, now + 1)).toBe(Number.POSITIVE_INFINITY)
  })
})

const surroundings: Surroundings = {
  addresses: ['192.168.1.5' as IpAddress],
  networks: ['192.168.1.0/24' as Prefix],
  inside: ['192.168.228.0/24' as Prefix, 'fd60::/64' as Prefix],
}

function decide(track: TunnelTrack | undefined, candidates: readonly Endpoint[], at: number) {
  return decideEndpoint(track, higher, lower, candidates, at)
}

/** A handshake, and one word more. */
function hear(track: TunnelTrack, endpoint: Endpoint, at: number): TunnelTrack {
  const risen = observeTunnel(track, reading(2, { endpoint, receivedBytes: 92 }), at, wallSeconds)
  return observeTunnel(risen, reading(2, { endpoint, receivedBytes: 204 }), at + 1, wallSeconds)
}

function up(candidates: readonly Endpoint[], endpoint: Endpoint): TunnelTrack {
  return {
    ...newTrack(higher, now),
    candidates,
    endpoint,
    receivedBytes: 92,
    grewAt: now,
    handshakeAt: wallSeconds,
  }
}

/** What is done to a peer that never answers, woken exactly when it is due. */
function timeline(candidates: readonly Endpoint[], seconds: number, key: typeof lower): readonly string[] {
  const subject = key === lower ? higher : lower
  let { track } = decideEndpoint(undefined, subject, key, candidates, now)
  const lines = [`0 s: start at ${track.endpoint}`]
  for (
    let at = endpointDueAt(track, key, now);
    at <= now + seconds * 1000;
    at = endpointDueAt(track, key, at)
  ) {
    const decision = decideEndpoint(track, subject, key, candidates, at)
    const what = decision.track.endpointSetAt === at ? `try ${decision.track.endpoint}` : 'again'
    lines.push(`${(at - now) / 1000} s: ${what}${decision.renew ? ', anew' : ''}`)
    track = decision.track
  }
  return lines
}
