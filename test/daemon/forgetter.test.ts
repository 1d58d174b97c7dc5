import { describe, expect, it } from 'vitest'
import { createForgetter, isForgotten } from '../../src/daemon/forgetter.ts'
import { newTrack } from '../../src/mesh/liveness.ts'
import { forgottenMax } from '../../src/model/limits.ts'
import type { Member } from '../../src/model/member.ts'
import type { Sequence } from '../../src/model/node.ts'
import {
  configuration,
  member,
  membership,
  nodeId,
  now,
  proofs,
  publicKey,
  wallSeconds,
} from '../mesh/world.ts'

/** Node 1 with these members, of which those in `heard` answer through their tunnels. */
function world(members: readonly Member[], heard: readonly number[] = []) {
  const tracks = new Map(
    heard.map(number => [
      publicKey(number),
      { ...newTrack(publicKey(number), 0), grewAt: now, handshakeAt: wallSeconds },
    ]),
  )
  const state = {
    ...{ membership: membership(...members), recalled: new Map(), proofs: proofs(...members), tracks },
    ...{ unanswered: new Map(), forgotten: new Map(), configuration: configuration(1) },
  }
  const saved: string[] = []
  const journal = {
    saveState: async () => saved.push('state') > 0,
    saveMembers: async () => void saved.push('members'),
  }
  const parts = { node: nodeId(1), clock: { now: () => now }, log: { info: () => undefined } }
  const forget = createForgetter(parts as never, state as never, journal, () => saved.push('changed'))
  return { state, saved, forget }
}

const gone = 8 * 3600

describe('a member that is forgotten', () => {
  it('is out at once, and on the disk', async () => {
    const { state, saved, forget } = world([member(2, {}, gone), member(3)], [3])
    expect(await forget(nodeId(2))).toMatchObject({ ok: true, value: { name: 'node2' } })
    expect([...state.membership.keys()]).toEqual([nodeId(3)])
    expect([...state.proofs.keys()]).toEqual([nodeId(3)])
    expect(saved).toEqual(['changed', 'state', 'members'])
  })

  it('is dead, however seldom it promised to speak', async () => {
    const { forget } = world([member(2, { heartbeatSeconds: 86_400 }, gone)])
    expect((await forget(nodeId(2))).ok).toBe(true)
  })

  it('is not taken back from others until it says something newer', async () => {
    const dead = member(2, { sequence: { incarnation: 3, counter: 5 } }, gone)
    const { state, forget } = world([dead])
    await forget(nodeId(2))
    const said = (sequence: Sequence) => isForgotten(state as never, member(2, { sequence }).announcement)
    expect(said({ incarnation: 3, counter: 5 })).toBe(true)
    expect(said({ incarnation: 3, counter: 4 })).toBe(true)
    expect(said({ incarnation: 4, counter: 0 })).toBe(false)
    expect(state.forgotten.size).toBe(0)
  })

  it('is one of a bounded number that are kept in mind', async () => {
    const { state, forget } = world([member(2, {}, gone)])
    for (let number = 10; number < 10 + forgottenMax; number += 1)
      state.forgotten.set(nodeId(number), { incarnation: 1, counter: 1 })
    await forget(nodeId(2))
    expect(state.forgotten.size).toBe(forgottenMax)
    expect(state.forgotten.has(nodeId(2))).toBe(true)
  })
})

describe('a member that stays', () => {
  it.each<[string, Member, readonly number[], string]>([
    ['lives by its tunnel', member(2, {}, gone), [2], 'lives'],
    ['lives by gossip', member(2), [], 'lives'],
    ['is declared here', member(2, { declaredBy: nodeId(1) }, gone), [], 'is declared here'],
  ])('%s', async (_, other, heard, what) => {
    const { state, forget } = world([other], heard)
    expect(await forget(nodeId(2))).toMatchObject({
      ok: false,
      failure: { what: expect.stringContaining(what) },
    })
    expect(state.membership.size).toBe(1)
  })

  it('is nobody', async () => {
    expect(await world([]).forget(nodeId(9))).toMatchObject({
      ok: false,
      failure: { remedy: 'see lnetctl peers' },
    })
  })
})
