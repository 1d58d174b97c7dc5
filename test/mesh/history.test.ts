import { expect, it } from 'vitest'
import { totalBytes, withHistory } from '../../src/mesh/history.ts'
import { newTrack, observeTunnel } from '../../src/mesh/liveness.ts'
import { now, publicKey, reading, wallSeconds } from './world.ts'

it('what was counted outlives a peer that is made anew, and one that was away', () => {
  const seen = observeTunnel(newTrack(publicKey(2), now), reading(2), now, wallSeconds)
  expect(totalBytes(seen)).toEqual({ received: 1000, sent: 1000 })
  const anew = reading(2, { handshakeAt: null, receivedBytes: 0, sentBytes: 148 })
  const renewed = observeTunnel(seen, anew, now + 1000, wallSeconds + 1)
  expect(totalBytes(renewed)).toEqual({ received: 1000, sent: 1148 })
  const grown = observeTunnel(
    renewed,
    reading(2, { receivedBytes: 500, sentBytes: 600 }),
    now + 2000,
    wallSeconds + 2,
  )
  expect(totalBytes(grown)).toEqual({ received: 1500, sent: 1600 })
  const back = withHistory(newTrack(publicKey(2), now + 600_000), grown)
  expect(totalBytes(back)).toEqual({ received: 1500, sent: 1600 })
})
