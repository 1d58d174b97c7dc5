import { describe, expect, it } from 'vitest'
import { decideEndpoint, endpointDueAt } from '../../src/mesh/endpoint.ts'
import {
  doubt,
  isHandshakeStale,
  isUnproven,
  newTrack,
  noteIncarnation,
  observeTunnel,
  proofDueAt,
  type TunnelTrack,
  tunnelLiveness,
} from '../../src/mesh/liveness.ts'
import { isSuspect, isUnanswered, suspectDueAt } from '../../src/mesh/suspicion.ts'
import type { Endpoint } from '../../src/model/address.ts'
import { proofMilliseconds } from '../../src/model/limits.ts'
import { endpointOf, now, publicKey, reading, sure, wallSeconds } from './world.ts'

const key = publicKey(2)

describe('liveness', () => {
  /** T0 is when the peer was set; it is heard once, 10 s later, and never again. */
  it('goes from unknown to up to down', () => {
    const set = newTrack(key, now)
    const heard = see(set, { receivedBytes: 92 }, 10)
    const moments = [0, 14.999, 15, 100] as const
    expect(moments.map(seconds => tunnelLiveness(set, now + seconds * 1000))).toEqual([
      'unknown',
      'unknown',
      'down',
      'down',
    ])
    const later = [10, 48, 48.001, 285] as const
    expect(later.map(seconds => tunnelLiveness(heard, now + seconds * 1000))).toEqual([
      'up',
      'up',
      'down',
      'down',
    ])
  })

  it('is suspected between a missed keepalive and its end', () => {
    const heard = see(newTrack(key, now), { receivedBytes: 92 }, 10)
    const suspected = [42.999, 43, 48, 48.001].map(seconds => isSuspect(heard, now + seconds * 1000))
    expect(suspected).toEqual([false, true, true, false])
    expect(isSuspect(newTrack(key, now), now + 44_000)).toBe(false)
    const due = [10, 42.999, 43, 60].map(seconds => suspectDueAt(heard, now + seconds * 1000))
    expect(due).toEqual([now + 43_000, now + 43_000, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY])
    expect(suspectDueAt(newTrack(key, now), now)).toBe(Number.POSITIVE_INFINITY)
  })

  it('is unanswered until the next sign of life, by gossip or through the tunnel', () => {
    const heard = see(newTrack(key, now), { receivedBytes: 92 }, 10)
    expect(isUnanswered(undefined, 0, heard)).toBe(false)
    const askedAt = now + 11_000
    expect(isUnanswered(askedAt, 0, heard)).toBe(true)
    expect(isUnanswered(askedAt, 0, undefined)).toBe(true)
    expect(isUnanswered(askedAt, askedAt, heard)).toBe(false)
    expect(isUnanswered(askedAt, 0, see(heard, { receivedBytes: 184 }, 12))).toBe(false)
  })

  it('is asked for a sign after its node started again, whatever the same look read, until one comes', () => {
    const heard = noteIncarnation(see(newTrack(key, now), { receivedBytes: 92 }, 10), 4, now + 10_000)
    expect([heard.unprovenSince, isUnproven(heard, now + 10_000)]).toEqual([null, false])
    const again = noteIncarnation(see(heard, { receivedBytes: 184 }, 12), 5, now + 12_000)
    expect(isUnproven(again, now + 13_000)).toBe(true)
    expect(isUnproven(see(again, { receivedBytes: 276 }, 14), now + 14_000)).toBe(false)
    // An older word that comes late is no start.
    expect(noteIncarnation(heard, 3, now + 12_000)).toEqual(heard)
  })

  it('is asked for a sign when its session is new, whose handshake alone may carry one way only', () => {
    const candidates = [endpointOf(2)]
    const risen = { ...see(newTrack(key, now), { receivedBytes: 92 }, 10), candidates }
    const due = now + 10_000 + proofMilliseconds
    expect([isUnproven(risen, now + 10_000), proofDueAt(risen, now + 10_000)]).toEqual([true, due])
    const decided = decideEndpoint(risen, key, candidates, { own: publicKey(1), moved: false, now: due })
    expect(decided.renew).toBe(true)
    const anew = see(decided.track, { receivedBytes: 92, handshakeAt: wallSeconds + 12 }, 12)
    expect(isUnproven(anew, now + 12_000)).toBe(false)
  })

  it('has proved itself by any word after that', () => {
    const risen = see(newTrack(key, now), { receivedBytes: 92 }, 10)
    expect(isUnproven(see(risen, { receivedBytes: 204 }, 11), now + 12_000)).toBe(false)
    const adopted = observeTunnel(undefined, reading(2, { receivedBytes: 92 }), now, wallSeconds)
    expect(isUnproven(adopted, now + 1000)).toBe(false)
  })

  it('is in doubt after a sleep, is made anew when no word comes, and is left alone when one does', () => {
    const woke = now + 600_000
    const candidates = [endpointOf(2)]
    const before = { ...see(newTrack(key, now), { receivedBytes: 92 }, 1), candidates, renewals: 2 }
    const doubted = doubt(before, woke)
    expect(tunnelLiveness(doubted, woke)).toBe('unknown')
    expect(isHandshakeStale(doubted, woke)).toBe(false)
    const decided = (track: TunnelTrack) =>
      decideEndpoint(track, key, candidates, { own: publicKey(1), moved: false, now: woke + 1000 }).renew
    expect(decided(doubted)).toBe(true)
    const answered = observeTunnel(doubted, reading(2, { receivedBytes: 184 }), woke + 20, wallSeconds)
    expect(decided(answered)).toBe(false)
    expect(tunnelLiveness(answered, woke + 1000)).toBe('up')
  })

  it('goes stale 275 s after the last word', () => {
    const heard = see(newTrack(key, now), { receivedBytes: 92 }, 10)
    expect([275, 285, 285.001].map(seconds => isHandshakeStale(heard, now + seconds * 1000))).toEqual([
      false,
      false,
      true,
    ])
  })

  it('goes stale 275 s after the first look, whatever was tried meanwhile', () => {
    let track = newTrack(key, now)
    for (
      let at = now;
      at <= now + 275_000;
      at = Math.min(endpointDueAt(track, publicKey(1), at), at + 7000)
    ) {
      expect(isHandshakeStale(track, at)).toBe(false)
      track = decideEndpoint(track, key, [endpointOf(2)], { own: publicKey(1), moved: false, now: at }).track
    }
    expect(isHandshakeStale(track, now + 275_001)).toBe(true)
  })
})

describe('a look at a peer', () => {
  const known = see(newTrack(key, now), { receivedBytes: 1000, handshakeAt: wallSeconds }, 1)
  const isHeard = (track: TunnelTrack) => track.grewAt === now + 60_000

  it.each<[string, Partial<ReturnType<typeof reading>>, boolean]>([
    ['that says the same', { receivedBytes: 1000, handshakeAt: wallSeconds }, false],
    ['with more bytes', { receivedBytes: 1032, handshakeAt: wallSeconds }, true],
    [
      'with another handshake and as many bytes',
      { receivedBytes: 1000, handshakeAt: wallSeconds + 59 },
      true,
    ],
    ['made anew and not answered', { receivedBytes: 0, handshakeAt: null }, false],
    ['made anew and answered', { receivedBytes: 92, handshakeAt: wallSeconds + 59 }, true],
    ['made anew, heard, and never agreed with', { receivedBytes: 148, handshakeAt: null }, false],
    ['sent to and silent', { receivedBytes: 1000, handshakeAt: wallSeconds, sentBytes: 99_999 }, false],
  ])('%s', (_, changes, heard) => {
    const seen = see(known, changes, 60)
    expect(isHeard(seen)).toBe(heard)
    if (!heard) expect(seen.grewAt).toBe(known.grewAt)
  })

  it('forgets what was tried in vain once it hears something', () => {
    const tried = ['203.0.113.9:1' as Endpoint]
    expect(see({ ...known, tried }, { receivedBytes: 2000 }, 60).tried).toEqual([])
    expect(see({ ...known, tried }, { receivedBytes: 1000, handshakeAt: wallSeconds }, 60).tried).toBe(tried)
  })

  it('follows a peer that roams', () => {
    const roamed = '198.51.100.9:4242' as Endpoint
    const seen = see(known, { endpoint: roamed, receivedBytes: 2000 }, 60)
    expect([seen.endpoint, seen.endpointSetAt]).toEqual([roamed, known.endpointSetAt])
  })

  it.each<[string, number | null, string]>([
    ['a fresh handshake', wallSeconds - 275, 'up'],
    ['a handshake by a clock that was set back', wallSeconds + 200, 'up'],
    ['a stale handshake', wallSeconds - 276, 'unknown'],
    ['no handshake', null, 'unknown'],
  ])('adopts one with %s', (_, handshakeAt, expected) => {
    const adopted = observeTunnel(undefined, reading(2, { handshakeAt }), now, wallSeconds)
    expect(tunnelLiveness(adopted, now)).toBe(expected)
    expect(adopted.endpoint).toBe(endpointOf(2))
  })
})

/** WireGuard makes a renewed peer from nothing, and on a LAN it answers before the next look. */
describe('an idle tunnel that was up once and is made anew', () => {
  it('is up again with its first handshake and a word, and is left alone', () => {
    let track = see(newTrack(key, now), { receivedBytes: 92 }, 0)
    const decide = (seconds: number) =>
      decideEndpoint(track, key, [endpointOf(2)], {
        own: publicKey(1),
        moved: false,
        now: now + seconds * 1000,
      })
    expect(decide(41).renew).toBe(true)
    track = see(decide(41).track, { receivedBytes: 92, handshakeAt: wallSeconds + 41 }, 41.01)
    track = see(track, { receivedBytes: 204, handshakeAt: wallSeconds + 41 }, 41.02)
    for (const seconds of [41.5, 43, 57, 78])
      expect([seconds, decide(seconds).renew]).toEqual([seconds, false])
    expect(endpointDueAt(track, publicKey(1), now + 42_000)).toBe(Number.POSITIVE_INFINITY)
  })
})

function see(track: TunnelTrack, changes: Partial<ReturnType<typeof reading>>, seconds: number): TunnelTrack {
  return sure(observeTunnel(track, reading(2, changes), now + seconds * 1000, wallSeconds + seconds))
}
