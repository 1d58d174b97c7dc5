import { describe, expect, it } from 'vitest'
import { loopRisks, wayOutRefusal } from '../../src/mesh/bridge.ts'
import {
  followLoop,
  keptOut,
  type LoopTrack,
  newLoopTrack,
  noteAnswer,
  noteProbe,
  silentHindrances,
} from '../../src/mesh/loop.ts'
import type { InterfaceName } from '../../src/model/address.ts'
import {
  loopListenSeconds,
  loopNodesMax,
  loopPatienceSeconds,
  loopQuietSecondsMax,
  loopQuietSecondsMin,
} from '../../src/model/limits.ts'
import type { LinkPlace } from '../../src/model/loop-watch.ts'
import type { NodeId } from '../../src/model/node.ts'
import { bridgeFacts, nodeId, observation, segmentConfiguration, vni } from './world.ts'

const [lower, own, higher] = [nodeId(1), nodeId(2), nodeId(3)].sort() as [NodeId, NodeId, NodeId]
const port = 'eth1' as InterfaceName
const way = { port, place: 'fe80::1%br0' as LinkPlace }
let counter = 0

function heard(track: LoopTrack, node: NodeId, joined: boolean, now: number): LoopTrack {
  counter += 1
  const standing = joined ? 'joined' : 'out'
  return noteProbe(track, { node, vni, sequence: { incarnation: 1, counter }, standing }, way, now)
}

/** A probe each 400 ms from one time to another, followed each time. */
function hearing(track: LoopTrack, node: NodeId, joined: boolean, from: number, to: number): LoopTrack {
  let after = track
  for (let now = from; now < to; now += 400)
    after = followLoop(heard(after, node, joined, now), own, after.exile === null, now)
  return after
}

function exiled(track: LoopTrack = newLoopTrack(0), now = 0): LoopTrack {
  return followLoop(heard(track, lower, true, now), own, true, now)
}

describe('a segment in its bridge', () => {
  it('leaves as soon as a lower node is heard that is in, and stays for a higher one', () => {
    expect(exiled().exile).toEqual({ node: lower, port, until: loopQuietSecondsMin * 1000 })
    expect(followLoop(heard(newLoopTrack(0), higher, true, 0), own, true, 0).exile).toBeNull()
    expect(followLoop(heard(newLoopTrack(0), lower, false, 0), own, true, 0).exile).toBeNull()
  })

  it('leaves when the higher one does not, because it cannot hear', () => {
    const patience = loopPatienceSeconds * 1000
    expect(hearing(newLoopTrack(0), higher, true, 0, patience).exile).toBeNull()
    expect(hearing(newLoopTrack(0), higher, true, 0, patience + 800).exile?.node).toBe(higher)
  })

  it('minds nothing old: neither what is long ago, nor a probe that is played again', () => {
    const track = heard(newLoopTrack(0), lower, true, 0)
    expect(followLoop(track, own, true, 5000).exile).toBeNull()
    const again = { node: lower, vni, sequence: { incarnation: 1, counter }, standing: 'joined' } as const
    expect(noteProbe(track, again, way, 5000)).toBe(track)
  })
})

describe('a segment out of its bridge', () => {
  it('stays out while the others are heard, and goes back when they were not for a while', () => {
    const quiet = loopQuietSecondsMin * 1000
    const [long, last] = [100_000, 99_600]
    const track = hearing(exiled(), lower, true, 400, long)
    expect(track.exile?.until).toBe(last + quiet)
    expect(followLoop(track, own, false, last + quiet - 1).exile).not.toBeNull()
    expect(followLoop(track, own, false, last + quiet)).toMatchObject({ exile: null, freedAt: last + quiet })
  })

  it('lets a lower one in first that is out, too, and does not wait for a higher one', () => {
    const quiet = loopQuietSecondsMin * 1000
    expect(hearing(exiled(), lower, false, 400, quiet * 2).exile).not.toBeNull()
    expect(hearing(exiled(), higher, true, 400, quiet * 2).exile).not.toBeNull()
    expect(hearing(exiled(), higher, false, 400, quiet * 2).exile).toBeNull()
  })

  it('asks after who fell silent, and stays out while that one’s kernel answers', () => {
    const track = exiled()
    const quiet = loopQuietSecondsMin * 1000
    expect(silentHindrances(track, own, 2000)).toEqual([])
    expect(silentHindrances(track, own, 4000)).toMatchObject([[lower, { place: 'fe80::1%br0' }]])
    expect(silentHindrances(track, own, quiet)).toEqual([])
    const answered = followLoop(noteAnswer(track, lower, 4000), own, false, quiet)
    expect(answered.exile?.until).toBe(4000 + quiet)
    expect(noteAnswer(track, higher, 4000)).toBe(track)
  })

  it('does not wait for one that said it is gone', () => {
    const before = exiled()
    counter += 1
    const farewell = { node: lower, vni, sequence: { incarnation: 1, counter }, standing: 'gone' } as const
    const track = noteProbe(before, farewell, way, 2000)
    expect(silentHindrances(track, own, 4000)).toEqual([])
    expect(noteAnswer(track, lower, 4000)).toBe(track)
    expect(followLoop(track, own, false, loopQuietSecondsMin * 1000).exile).toBeNull()
  })

  it('waits twice as long at each relapse, an hour at most, and is forgiven after one', () => {
    let track = exiled()
    const waits: number[] = []
    for (let times = 0; times < 12; times += 1) {
      waits.push(track.quietSeconds)
      const freed = followLoop(track, own, false, track.exile?.until as number)
      track = exiled(freed, freed.freedAt as number)
    }
    expect(waits.slice(0, 4)).toEqual([15, 30, 60, 120])
    expect(waits.at(-1)).toBe(loopQuietSecondsMax)
    const freed = followLoop(track, own, false, track.exile?.until as number)
    expect(exiled(freed, (freed.freedAt as number) + 3_600_000).quietSeconds).toBe(loopQuietSecondsMin)
  })

  it('goes in only after it listened, and stays out for anybody who is in', () => {
    const risks = loopRisks([bridged], [bridgeFacts({ physicalPorts: ['eth1'] })], [])
    const listened = loopListenSeconds * 1000
    const outAt = (track: LoopTrack | null, now: number) =>
      keptOut(risks, new Map(track === null ? [] : [[vni, track]]), observation(), now).has(vni)
    expect(outAt(null, 0)).toBe(true)
    expect(outAt(newLoopTrack(0), listened - 1)).toBe(true)
    expect(outAt(newLoopTrack(0), listened)).toBe(false)
    const track = followLoop(heard(newLoopTrack(0), higher, true, 400), own, false, 400)
    expect(outAt(track, listened)).toBe(true)
    expect(keptOut(risks, new Map(), { ...observation(), watchesLoops: false }, 0).size).toBe(0)
  })

  it('remembers no more nodes than there is room for', () => {
    const ids = Array.from({ length: loopNodesMax + 5 }, (_, index) => nodeId(index + 10))
    const track = ids.reduce((before, node) => heard(before, node, false, 0), newLoopTrack(0))
    expect([...track.sightings.keys()]).toEqual(ids.slice(5))
  })
})

const bridged = segmentConfiguration({
  bridge: { name: bridgeFacts().interface, create: false, allowLoopRisk: true },
})

describe('a bridge that everything leaves by', () => {
  const wanted = { name: bridgeFacts().interface, create: false, allowLoopRisk: true }
  const cabled = bridgeFacts({ physicalPorts: ['eth1'], stacked: ['br0.7'] })

  it('takes in no segment, whatever the operator allows and whatever stands between', () => {
    expect(wayOutRefusal(wanted, [cabled], ['br0', 'eth9'])?.what).toMatch(/default route leaves by br0$/)
    expect(wayOutRefusal(wanted, [cabled], ['br0.7'])?.what).toMatch(/default route leaves by br0.7 on br0$/)
    expect(loopRisks([bridged], [cabled], ['br0'])).toEqual([])
  })

  it('is not one that has no cable, or that another device leads past', () => {
    expect(wayOutRefusal(wanted, [bridgeFacts()], ['br0'])).toBeNull()
    expect(wayOutRefusal(wanted, [cabled], ['eth0'])).toBeNull()
    expect(wayOutRefusal(wanted, [], ['br0'])).toBeNull()
  })
})

describe('the risk of a loop', () => {
  it('is where a bridge has a physical port that nothing watches', () => {
    const risk = loopRisks([bridged], [bridgeFacts({ physicalPorts: ['eth1', 'a"b', 'eth2'] })], [])
    expect(risk).toMatchObject([{ bridge: 'br0', ports: ['eth1', 'eth2'] }])
    expect(loopRisks([bridged], [bridgeFacts({ physicalPorts: ['eth1'], stp: true })], [])).toEqual([])
    expect(loopRisks([bridged], [bridgeFacts()], [])).toEqual([])
    expect(loopRisks([bridged], [bridgeFacts({ physicalPorts: ['eth1'], up: false })], [])).toEqual([])
    expect(loopRisks([segmentConfiguration()], [bridgeFacts({ physicalPorts: ['eth1'] })], [])).toEqual([])
  })
})
