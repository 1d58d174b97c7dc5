import { beforeEach, expect, it } from 'vitest'
import type { DaemonParts } from '../../src/daemon/parts.ts'
import type { State } from '../../src/daemon/state.ts'
import { createWitness, type Witness } from '../../src/daemon/witness.ts'
import type { Gossip } from '../../src/gossip/port.ts'
import { newTrack } from '../../src/mesh/liveness.ts'
import { suspectSeconds } from '../../src/model/limits.ts'
import { FakeKernel } from '../fake/kernel.ts'
import { configuration, facts, member, membership, nodeId, now, publicKey } from '../mesh/world.ts'

const grewAt = now - (suspectSeconds + 1) * 1000
let state: State
let witness: Witness
let answer: (reached: boolean) => void

beforeEach(() => {
  const reached = Promise.withResolvers<boolean>()
  answer = reached.resolve
  state = {
    configuration: configuration(1),
    facts: facts(1),
    membership: membership(member(2)),
    tracks: new Map([[publicKey(2), { ...newTrack(publicKey(2), 0), grewAt }]]),
    unanswered: new Map(),
    observation: null,
    own: null,
    gossip: { reaches: () => reached.promise } as Partial<Gossip>,
  } as Partial<State> as State
  const parts = {
    kernel: new FakeKernel(),
    clock: { now: () => now, uptimeSeconds: () => 0, setTimer: () => () => undefined },
    log: { info: () => undefined },
  } as unknown as DaemonParts
  witness = createWitness(parts, state, { mark: () => undefined, announce: () => undefined })
})

it('remembers when a suspect did not answer', async () => {
  witness.looked()
  answer(false)
  await Promise.resolve()
  expect([...state.unanswered]).toEqual([[nodeId(2), now]])
})

it('remembers nothing of a member that was forgotten while it was asked', async () => {
  witness.looked()
  state.membership = membership()
  answer(false)
  await Promise.resolve()
  expect(state.unanswered.size).toBe(0)
})
