import { beforeEach, expect, it } from 'vitest'
import type { DaemonParts } from '../../src/daemon/parts.ts'
import { createReunion, type Reunion } from '../../src/daemon/reunion.ts'
import type { State } from '../../src/daemon/state.ts'
import type { Gossip } from '../../src/gossip/port.ts'
import { newTrack } from '../../src/mesh/liveness.ts'
import type { Neighbour } from '../../src/model/neighbour.ts'
import { member, membership, nodeId, now, publicKey } from '../mesh/world.ts'

const trialSeconds = 5
let state: State
let reunion: Reunion
let neighbours: number
let redials: number
let marks: number

beforeEach(() => {
  neighbours = 1
  redials = 0
  marks = 0
  state = {
    membership: membership(member(2)),
    tracks: new Map([[publicKey(2), newTrack(publicKey(2), now - trialSeconds * 1000)]]),
    moved: false,
    gossip: {
      neighbours: () => Array.from({ length: neighbours }, () => ({}) as Neighbour),
      redial: () => {
        redials += 1
      },
    } as Partial<Gossip>,
  } as Partial<State> as State
  const parts = { publicKey: publicKey(1), clock: { now: () => now }, log: { debug: () => undefined } }
  reunion = createReunion(parts as unknown as DaemonParts, state, () => {
    marks += 1
  })
})

function haveNeighbours(count: number): void {
  neighbours = count
  reunion.neighboursChanged()
}

it('takes a machine that found its first neighbour, or another one, for one that was there', () => {
  haveNeighbours(1)
  haveNeighbours(2)
  haveNeighbours(1)
  expect([redials, state.moved, marks]).toEqual([0, false, 0])
})

it('takes one that had lost all its neighbours for one that is back', () => {
  haveNeighbours(0)
  expect([redials, state.moved, marks]).toEqual([0, false, 0])
  haveNeighbours(1)
  expect([redials, state.moved, marks]).toEqual([1, true, 1])
})

it('leaves endpoints alone where only gossip was away', () => {
  state.tracks = new Map([[publicKey(2), { ...newTrack(publicKey(2), 0), grewAt: now }]])
  haveNeighbours(0)
  haveNeighbours(1)
  expect([redials, state.moved, marks]).toEqual([1, false, 0])
})

it('has a node tried that answers gossip while its tunnel does not', () => {
  reunion.met(nodeId(2))
  expect([state.tracks.get(publicKey(2))?.metAt, marks]).toEqual([now, 1])
})

it('leaves one alone whose tunnel carries, and whoever is no member', () => {
  state.tracks = new Map([[publicKey(2), { ...newTrack(publicKey(2), now - 5000), grewAt: now - 1000 }]])
  reunion.met(nodeId(2))
  reunion.met(nodeId(3))
  expect(marks).toBe(0)
})
