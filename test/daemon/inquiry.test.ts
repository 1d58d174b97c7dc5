import { beforeEach, expect, it } from 'vitest'
import { createInquiry, type Inquiry } from '../../src/daemon/inquiry.ts'
import type { DaemonParts } from '../../src/daemon/parts.ts'
import type { State } from '../../src/daemon/state.ts'
import type { Gossip } from '../../src/gossip/port.ts'
import { newTrack } from '../../src/mesh/liveness.ts'
import { proofMilliseconds, receiveGrowthSecondsMax, suspectSeconds } from '../../src/model/limits.ts'
import type { NodeId } from '../../src/model/node.ts'
import { FakeKernel } from '../fake/kernel.ts'
import { member, membership, nodeId, now, publicKey } from '../mesh/world.ts'

const grewAt = now - (suspectSeconds + 1) * 1000
let state: State
let inquiry: Inquiry
let answer: (reached: boolean) => void
let asked: NodeId[]
let time: number

beforeEach(() => {
  const reached = Promise.withResolvers<boolean>()
  answer = reached.resolve
  asked = []
  time = now
  state = {
    membership: membership(member(2)),
    tracks: new Map([[publicKey(2), { ...newTrack(publicKey(2), 0), grewAt }]]),
    unanswered: new Map(),
    gossip: {
      reaches: node => {
        asked.push(node)
        return reached.promise
      },
    } as Partial<Gossip>,
  } as Partial<State> as State
  const parts = { kernel: new FakeKernel(), clock: { now: () => time } } as unknown as DaemonParts
  inquiry = createInquiry(parts, state)
})

/** A look, and another one when a word was answered if anybody is there. */
function lookTwice(): void {
  inquiry.looked()
  time += proofMilliseconds
  inquiry.looked()
}

it('asks a suspect by gossip once, after a word through the tunnel was not answered', () => {
  inquiry.looked()
  expect(asked).toEqual([])
  lookTwice()
  lookTwice()
  expect(asked).toEqual([nodeId(2)])
})

it('asks nobody by gossip whose kernel answered the word', () => {
  inquiry.looked()
  time += proofMilliseconds
  state.tracks = new Map([[publicKey(2), { ...newTrack(publicKey(2), 0), grewAt: time }]])
  inquiry.looked()
  expect(asked).toEqual([])
})

it('asks by gossip though the tunnel was called down meanwhile', () => {
  inquiry.looked()
  time += receiveGrowthSecondsMax * 1000
  inquiry.looked()
  expect(asked).toEqual([nodeId(2)])
})

it('remembers when a suspect did not answer', async () => {
  lookTwice()
  answer(false)
  await Promise.resolve()
  expect([...state.unanswered]).toEqual([[nodeId(2), time]])
})

it('remembers nothing of a member that was forgotten while it was asked', async () => {
  lookTwice()
  state.membership = membership()
  answer(false)
  await Promise.resolve()
  expect(asked).toEqual([nodeId(2)])
  expect(state.unanswered.size).toBe(0)
})
