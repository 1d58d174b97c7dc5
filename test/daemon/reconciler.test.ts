import { beforeEach, describe, expect, it, vi } from 'vitest'
import { createReconciler, type Reconciler } from '../../src/daemon/reconciler.ts'
import { failed, ok } from '../../src/model/failure.ts'
import { driftDebounceMilliseconds, verifyMilliseconds } from '../../src/model/limits.ts'
import type { Step } from '../../src/model/step.ts'

const decision = vi.hoisted(() => ({
  plan: [] as unknown[],
  records: { tenures: null },
  dueAt: Number.POSITIVE_INFINITY,
}))
vi.mock('../../src/mesh/decide.ts', () => ({ decide: () => decision }))
vi.mock('../../src/daemon/situation.ts', () => ({
  situationOf: () => null,
  isWarm: () => false,
  graceLeft: () => Number.POSITIVE_INFINITY,
}))

const forMember = { kind: 'flood.add', interface: 'vlnet0', lower: 'lnet0', vtep: 'fd00::1' } as Step
let looks: number
let isBlind: boolean
let wait: number
let wake: () => void
let reconciler: Reconciler

beforeEach(() => {
  looks = 0
  isBlind = false
  decision.plan = [forMember]
  const clock = {
    now: () => 0,
    random: () => 0,
    setTimer(milliseconds: number, action: () => void) {
      wait = milliseconds
      wake = action
      return () => undefined
    },
  }
  const kernel = { apply: async () => [], speak: () => undefined }
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined }
  const look = async () => {
    looks += 1
    return isBlind ? failed('nothing is seen') : ok({ state: {} })
  }
  const events = {
    claimsChanged: async () => undefined,
    endpointsSet: () => undefined,
    recordsChanged: () => undefined,
    looked: () => undefined,
  }
  reconciler = createReconciler(
    { clock, kernel, log } as never,
    { settled: null, looks: 0, records: { tenures: null } } as never,
    { look, distrust: () => undefined } as never,
    events,
  )
})

async function round(begin: () => void): Promise<void> {
  begin()
  await reconciler.idle()
}

describe('after entries for members were written', () => {
  it('looks once, a moment later, whatever the kernel tells of them', async () => {
    await round(reconciler.mark)
    expect([looks, wait]).toEqual([1, verifyMilliseconds])
    reconciler.drifted()
    expect(wait).toBe(verifyMilliseconds)
    decision.plan = []
    await round(wake)
    expect(looks).toBe(2)
  })

  it('listens to the kernel again when that look failed', async () => {
    await round(reconciler.mark)
    isBlind = true
    await round(wake)
    reconciler.drifted()
    expect(wait).toBe(driftDebounceMilliseconds)
  })
})
