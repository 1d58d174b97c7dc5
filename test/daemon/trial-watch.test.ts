import { beforeEach, expect, it } from 'vitest'
import type { State } from '../../src/daemon/state.ts'
import { createTrialWatch, type TrialWatch } from '../../src/daemon/trial-watch.ts'
import { noTrials } from '../../src/mesh/trials.ts'
import type { WireguardPublicKey } from '../../src/model/wireguard-key.ts'
import { FakeKernel } from '../fake/kernel.ts'
import { desiredState } from '../kernel/state.ts'

const beganAt = 5000
let kernel: FakeKernel
let key: WireguardPublicKey
let timers: (() => void)[]
let now: number
let answers: number
let watch: TrialWatch

beforeEach(async () => {
  kernel = new FakeKernel({ state: desiredState(2) })
  const observed = await kernel.observe()
  const observation = observed.ok ? observed.value : null
  key = observation?.readings[0]?.publicKey as WireguardPublicKey
  timers = []
  now = beganAt
  answers = 0
  const trial = { knownSince: 0, times: 1, beganAt, endsAt: beganAt + 4000, places: [], announced: '' }
  const trials = { ...noTrials, byKey: new Map([[key, trial]]) }
  const state = { observation, trials } as Partial<State> as State
  const setTimer = (_: number, action: () => void) => {
    timers.push(action)
    return () => {
      timers = timers.filter(other => other !== action)
    }
  }
  watch = createTrialWatch({ kernel, clock: { now: () => now, setTimer } as never }, state, () => {
    answers += 1
  })
})

/** The timer is up, and WireGuard was read. */
async function poll(): Promise<void> {
  timers.shift()?.()
  await new Promise(resolve => setImmediate(resolve))
}

it('reads WireGuard again and again while somebody is being tried, and tells of the first handshake', async () => {
  watch.looked()
  watch.looked()
  await poll()
  expect([answers, kernel.calls.glance, timers.length]).toEqual([0, 1, 1])
  kernel.measure(key, { handshakeAt: 1_700_000_000 })
  await poll()
  expect([answers, kernel.calls.glance, timers.length]).toEqual([1, 2, 0])
})

it('reads nothing more when the answer is late, nor when the daemon ends', async () => {
  watch.looked()
  now = beganAt + 2000
  await poll()
  expect([answers, kernel.calls.glance, timers.length]).toEqual([0, 1, 0])
  watch.looked()
  expect(timers).toEqual([])
  now = beganAt
  watch.looked()
  watch.stop()
  expect(timers).toEqual([])
})
