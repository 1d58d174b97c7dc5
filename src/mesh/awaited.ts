import type { WireguardReading } from '../model/kernel-state.ts'
import type { WireguardPublicKey } from '../model/wireguard-key.ts'
import type { Trials } from './trials.ts'

/** A peer that is there answers within a few round trips of its trial's begin, or of its own first initiation. */
const answerSecondsMax = 2

/** A peer in the kernel was first tried so lately that its first handshake may come at any moment. */
export function isAnswerAwaited(
  { byKey }: Trials,
  readings: readonly WireguardReading[],
  now: number,
): boolean {
  return readings.some(({ publicKey, handshakeAt }) => {
    const trial = byKey.get(publicKey)
    return handshakeAt === null && trial !== undefined && now - trial.beganAt < answerSecondsMax * 1000
  })
}

/** Somebody shook hands for the first time between two readings: what waits for a proof may follow at once. */
export function hasFirstHandshake(
  before: readonly WireguardReading[],
  after: readonly WireguardReading[],
): boolean {
  const shaken = new Map<WireguardPublicKey, boolean>(
    before.map(({ publicKey, handshakeAt }) => [publicKey, handshakeAt !== null]),
  )
  return after.some(({ publicKey, handshakeAt }) => handshakeAt !== null && shaken.get(publicKey) === false)
}
