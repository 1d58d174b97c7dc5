import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decideEndpoint, endpointDueAt, isMetAgain } from '../../src/mesh/endpoint.ts'
import { newTrack, observeTunnel, type TunnelTrack, tunnelLiveness } from '../../src/mesh/liveness.ts'
import type { Endpoint } from '../../src/model/address.ts'
import {
  endpointTrialSecondsMax,
  meetingsMax,
  proofMilliseconds,
  receiveGrowthSecondsMax,
  renewalMilliseconds,
} from '../../src/model/limits.ts'
import { now, publicKey, reading, sure, wallSeconds } from './world.ts'

const patience = receiveGrowthSecondsMax * 1000
const [lower, higher] = [publicKey(1), publicKey(2)]
const [a, b, c] = ['203.0.113.1:1', '203.0.113.2:1', '203.0.113.3:1'] as unknown as [
  Endpoint,
  Endpoint,
  Endpoint,
]

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

  it('is tried at once when it is heard, and as often as at first from then on', () => {
    const at = now + day * 1000
    const first = decide(undefined, [a, b], now).track
    const track: TunnelTrack = { ...first, trials: 40, tried: [a, b], endpointSetAt: at, renewals: 2 }
    expect(decide(track, [a, b], at + 60_000).renew).toBe(false)
    const decision = decide({ ...track, newsAt: at + 60_000 }, [a, b], at + 60_000)
    expect(decision).toMatchObject({ track: { endpoint: b, trials: 1 }, renew: true })
    expect(decide({ ...decision.track, newsAt: at + 61_000 }, [a, b], at + 61_000).track.endpoint).toBe(b)
  })
})

describe('what was tried while a cable was out', () => {
  const elsewhere = (track: TunnelTrack, at: number) =>
    decideEndpoint(track, higher, [a, b, c], { own: lower, moved: true, now: at })
  const heard = (track: TunnelTrack, at: number) => decide({ ...track, newsAt: at }, [a, b, c], at)
  const moments = fc.integer({ min: 1, max: 14_000 })

  it('is tried anew when this machine is back, at whatever moment, first where it was last heard', () => {
    fc.assert(
      fc.property(moments, after => {
        const { track, renew } = elsewhere(cut(after), trialAt + after)
        expect([track.endpoint, renew, track.endpointSetAt]).toEqual([b, true, trialAt + after])
      }),
    )
  })

  it('is tried anew when the other is back, unless more is to come anyway', () => {
    fc.assert(
      fc.property(moments, after => {
        const at = trialAt + after
        const { track, renew } = heard(cut(after), at)
        const restarts = after >= Math.max(...renewalMilliseconds.lower)
        expect(renew).toBe(restarts)
        expect(track.endpoint).toBe(restarts ? b : c)
        if (!restarts) expect(endpointDueAt(track, lower, at) - at).toBeLessThan(1000)
      }),
    )
  })

  it.each<[string, number, boolean, boolean]>([
    ['stays as it is where it was heard a moment ago', 12_000, false, false],
    ['has to prove itself where the other side may have given up', 14_000, false, true],
    ['is made anew where the other side most likely has', 34_000, true, true],
  ])('by a machine that is back, a tunnel that is up %s', (_, silent, renews, proves) => {
    const track = { ...up([a, b], b), aliveEndpoint: b }
    const at = now + silent
    const decision = decideEndpoint(track, higher, [a, b], { own: lower, moved: true, now: at })
    expect([decision.track.endpoint, decision.renew]).toEqual([b, renews])
    expect(endpointDueAt(decision.track, lower, at)).toBe(
      proves ? at + proofMilliseconds : Number.POSITIVE_INFINITY,
    )
  })

  it.each<[string, typeof lower, boolean]>([
    ['begins at once at the lower key', lower, true],
    ['waits for the other at the higher key', publicKey(3), false],
  ])('when the other answers gossip, %s', (_, own, begins) => {
    fc.assert(
      fc.property(moments, after => {
        const at = trialAt + after
        const track = { ...cut(after), metAt: at }
        const [soonest] = renewalMilliseconds[own < higher ? 'lower' : 'higher']
        expect(isMetAgain(track, own)).toBe(after >= soonest)
        fc.pre(after >= soonest)
        const decision = decideEndpoint(track, higher, [a, b, c], { own, moved: false, now: at })
        expect([decision.track.endpoint, decision.renew]).toEqual([b, begins])
        expect(endpointDueAt(decision.track, own, at)).toBe(at + soonest)
      }),
    )
  })

  it('is left to patience where it answers gossip and its tunnel never does', () => {
    let track: TunnelTrack = { ...cut(5000), aliveEndpoint: b }
    const restarts = Array.from({ length: 10 }, (_, count) => {
      const at = trialAt + 5000 + count * 5000
      const decision = decide({ ...track, metAt: at }, [a, b, c], at)
      track = decision.track
      return track.endpointSetAt === at && track.endpoint === b
    })
    expect(restarts.slice(0, meetingsMax)).toEqual(Array.from({ length: meetingsMax }, () => true))
    expect(track.meetings).toBe(meetingsMax)
    expect(hear(track, a, trialAt + 60_000).meetings).toBe(0)
  })

  it('is left alone once it is heard, whoever answers gossip', () => {
    const heardAgain = { ...cut(5000), grewAt: trialAt + 5000, metAt: trialAt + 6000 }
    expect(isMetAgain(heardAgain, lower)).toBe(false)
    expect(decide(heardAgain, [a, b, c], trialAt + 6000).renew).toBe(false)
  })

  it('hurries through all its places then, not only through those not tried yet', () => {
    const { track } = elsewhere(cut(5000), trialAt + 5000)
    expect(timelineOf(track, 13, lower).filter(line => !line.includes('again'))).toEqual([
      '0 s: start at 203.0.113.2:1',
      '4 s: try 203.0.113.3:1, anew',
      '8 s: try 203.0.113.1:1, anew',
    ])
  })

  it('is not begun again and again by one who never answered and speaks by others, and stays down', () => {
    const first = decide(undefined, [a], now).track
    const tried = { ...first, tried: [a], trials: 3 }
    const at = now + 20_000
    const { track, renew } = decide({ ...tried, newsAt: at }, [a], at)
    expect([renew, tunnelLiveness(track, at)]).toEqual([true, 'down'])
    expect(decide({ ...track, newsAt: at + 1000 }, [a], at + 1000)).toMatchObject({
      track: { endpointSetAt: at },
    })
  })

  const trialAt = now + patience + 1
  /** In a trial, the second since it fell silent at `b`, whose renewals were done when due. */
  function cut(after: number): TunnelTrack {
    const { track } = decide({ ...up([a, b, c], b), aliveEndpoint: b }, [a, b, c], trialAt)
    const renewals = renewalMilliseconds.lower.filter(due => due <= after).length
    return { ...track, tried: [a, b, c], renewals }
  }
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
      metAgo: fc.integer({ min: 0, max: 400_000 }),
      meetings: fc.integer({ min: 0, max: 4 }),
      unprovenAgo: fc.option(fc.integer({ min: 0, max: 400_000 })),
    })
    .map(({ ago, grewAgo, unprovenAgo, newsAgo, metAgo, ...rest }) => ({
      ...newTrack(higher, now),
      ...rest,
      endpointSetAt: now - ago,
      grewAt: grewAgo === null ? null : now - grewAgo,
      newsAt: now - newsAgo,
      metAt: now - metAgo,
      unprovenSince: unprovenAgo === null ? null : now - unprovenAgo,
    }))
  const own = fc.constantFrom(lower, publicKey(3))

  it('has its next one in the future, so that nobody spins', () => {
    fc.assert(
      fc.property(
        fc.option(track, { nil: undefined }),
        fc.subarray([a, b, c]),
        own,
        fc.boolean(),
        (known, candidates, key, moved) => {
          const circumstances = { own: key, moved, now }
          const decision = decideEndpoint(known, higher, candidates, circumstances)
          expect(endpointDueAt(decision.track, key, now)).toBeGreaterThan(now)
          const again = decideEndpoint(decision.track, higher, candidates, circumstances)
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
        expect(decideEndpoint(known, higher, candidates, { own: key, moved: false, now }).renew).toBe(false)
      }),
      { numRuns: 1000 },
    )
  })

  it('sends nowhere but to a candidate or where it already was', () => {
    fc.assert(
      fc.property(track, fc.subarray([a, b, c]), own, (known, candidates, key) => {
        const { endpoint } = decideEndpoint(known, higher, candidates, { own: key, moved: false, now }).track
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

function decide(track: TunnelTrack | undefined, candidates: readonly Endpoint[], at: number) {
  return decideEndpoint(track, higher, candidates, { own: lower, moved: false, now: at })
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
  const { track } = decideEndpoint(undefined, subject, candidates, { own: key, moved: false, now })
  return timelineOf(track, seconds, key)
}

function timelineOf(started: TunnelTrack, seconds: number, key: typeof lower): readonly string[] {
  const { publicKey: subject, candidates, endpointSetAt: begin } = started
  let track = started
  const lines = [`0 s: start at ${track.endpoint}`]
  for (
    let at = endpointDueAt(track, key, begin);
    at <= begin + seconds * 1000;
    at = endpointDueAt(track, key, at)
  ) {
    const decision = decideEndpoint(track, subject, candidates, { own: key, moved: false, now: at })
    const what = decision.track.endpointSetAt === at ? `try ${decision.track.endpoint}` : 'again'
    lines.push(`${(at - begin) / 1000} s: ${what}${decision.renew ? ', anew' : ''}`)
    track = decision.track
  }
  return lines
}
