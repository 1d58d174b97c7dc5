import type { GossipSub } from '@chainsafe/libp2p-gossipsub'
import type { PeerId } from '@libp2p/interface'
import { expect, it } from 'vitest'
import { boundRpcs } from '../../src/gossip/topic-allowance.ts'
import { topicAllowance } from '../../src/model/limits.ts'

/** An RPC of so many messages of one byte each. */
function rpc(messages: number): Uint8Array {
  return new Uint8Array(Array.from({ length: messages }, () => [0x12, 0x03, 0x12, 0x01, 0x07]).flat())
}

function setUp() {
  const read = new Map<string, number>()
  const exceeded = new Map<string, number>()
  const clock = { now: 0 }
  const gossip = {
    async pipePeerReadStream(peer: PeerId, rpcs: AsyncIterable<Uint8Array>) {
      for await (const bytes of rpcs) read.set(`${peer}`, (read.get(`${peer}`) ?? 0) + bytes.length)
    },
  }
  boundRpcs(
    gossip as unknown as GossipSub,
    () => clock.now,
    (from, pieces) => {
      exceeded.set(from, (exceeded.get(from) ?? 0) + pieces)
    },
  )
  const send = (from: string, rpcs: readonly Uint8Array[]) =>
    gossip.pipePeerReadStream(from as unknown as PeerId, arriving(rpcs))
  return { read, exceeded, clock, send }
}

async function* arriving(rpcs: readonly Uint8Array[]): AsyncIterable<Uint8Array> {
  yield* rpcs
}

it('reads twenty announcements of each of 300 nodes from one neighbour at once', async () => {
  const { read, exceeded, send } = setUp()
  await send(
    'relay',
    Array.from({ length: 6000 }, () => rpc(1)),
  )
  expect(read.get('relay')).toBe(6000 * 5)
  expect(exceeded.size).toBe(0)
})

it('drops what a neighbour sends beyond its allowance, by whatever streams, and blames nobody else', async () => {
  const { read, exceeded, clock, send } = setUp()
  const bundles = Array.from({ length: 100 }, () => rpc(400))
  await send('flooder', bundles)
  await send('flooder', bundles)
  await send('other', [rpc(1)])
  expect(read.get('flooder')).toBeLessThan((topicAllowance.piecesBurst + 500) * 5)
  expect(exceeded.get('flooder')).toBeGreaterThan(150)
  expect([...exceeded.keys()]).toEqual(['flooder'])
  expect(read.get('other')).toBe(5)
  clock.now += 60_000
  await send('flooder', [rpc(7)])
  expect(read.get('flooder')).toBeGreaterThan(topicAllowance.piecesBurst * 4)
})

it('counts bytes that are no message of the topic', async () => {
  const { read, exceeded, send } = setUp()
  await send(
    'flooder',
    Array.from({ length: 40 }, () => new Uint8Array(512 * 1024).fill(0xff)),
  )
  expect(read.size).toBe(0)
  expect(exceeded.get('flooder')).toBeGreaterThan(20)
})
