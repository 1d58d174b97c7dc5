import { describe, expect, it } from 'vitest'
import { hasFirstHandshake, isAnswerAwaited } from '../../src/mesh/awaited.ts'
import { noTrials, type Trials } from '../../src/mesh/trials.ts'
import type { WireguardReading } from '../../src/model/kernel-state.ts'
import type { WireguardPublicKey } from '../../src/model/wireguard-key.ts'

const key = 'a' as WireguardPublicKey
const other = 'b' as WireguardPublicKey

function reading(publicKey: WireguardPublicKey, handshakeAt: number | null): WireguardReading {
  return { publicKey, endpoint: null, handshakeAt, receivedBytes: 0, sentBytes: 0 }
}

function triedAt(beganAt: number): Trials {
  const trial = { knownSince: 0, times: 1, beganAt, endsAt: beganAt + 4000, places: [], announced: '' }
  return { ...noTrials, byKey: new Map([[key, trial]]) }
}

describe('an answer is awaited', () => {
  it('for two seconds after a trial began, of a peer in the kernel that never shook hands', () => {
    expect(isAnswerAwaited(triedAt(1000), [reading(key, null)], 2999)).toBe(true)
    expect(isAnswerAwaited(triedAt(1000), [reading(key, null)], 3000)).toBe(false)
    expect(isAnswerAwaited(triedAt(1000), [reading(key, 5)], 1001)).toBe(false)
    expect(isAnswerAwaited(triedAt(1000), [], 1001)).toBe(false)
  })

  it('not of a peer that is only listened to', () => {
    expect(isAnswerAwaited(triedAt(1000), [reading(other, null)], 1001)).toBe(false)
  })
})

describe('a first handshake', () => {
  it('is one of a peer that was read without one before', () => {
    expect(hasFirstHandshake([reading(key, null)], [reading(key, 5)])).toBe(true)
  })

  it('is no later one, and none of a peer that was not read before', () => {
    expect(hasFirstHandshake([reading(key, 5)], [reading(key, 6)])).toBe(false)
    expect(hasFirstHandshake([reading(key, null)], [reading(key, null), reading(other, 5)])).toBe(false)
  })
})
