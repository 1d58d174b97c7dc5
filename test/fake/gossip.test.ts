import { describe, expect, it } from 'vitest'
import type { GossipHandlers } from '../../src/gossip/port.ts'
import { pairRank } from '../../src/mesh/derive.ts'
import { type DigestEntry, hashDigest } from '../../src/mesh/sync.ts'
import type { Envelope } from '../../src/model/announcement.ts'
import { type NodeId, parseNodeId } from '../../src/model/node.ts'
import { type FakeTime, MemoryGossipNetwork, type NetworkConditions } from './gossip.ts'

describe('the network of the simulator', () => {
  it('spreads every word to everyone from one bootstrap node', () => {
    const mesh = newMesh(60)
    mesh.run(5)
    for (const node of mesh.nodes) node.say(1)
    mesh.run(10)
    expect(mesh.differing()).toBe(0)
    expect(mesh.nodes.every(node => node.known.size === 60)).toBe(true)
  })

  it('survives loss, duplication and reordering', () => {
    const conditions = { loss: 0.2, duplication: 0.2, delay: { min: 1, max: 900 }, exact: true }
    const mesh = newMesh(30, conditions)
    mesh.run(5)
    for (let word = 1; word <= 5; word += 1) {
      for (const node of mesh.nodes) node.say(word)
      mesh.run(1)
    }
    mesh.run(60)
    expect(mesh.differing()).toBe(0)
    expect(mesh.nodes.every(node => [...node.known.values()].every(({ number }) => number === 5))).toBe(true)
  })

  it('splits, and heals within seconds', () => {
    const mesh = newMesh(20)
    mesh.run(5)
    const ids = mesh.nodes.map(({ id }) => id)
    mesh.network.partition([ids.slice(0, 10), ids.slice(10)])
    mesh.run(120)
    for (const node of mesh.nodes) node.say(7)
    mesh.run(30)
    expect(mesh.nodes.every(node => node.known.size === 20)).toBe(true)
    expect(mesh.differing()).toBeGreaterThan(0)
    mesh.network.heal()
    mesh.run(5)
    expect(mesh.differing()).toBe(0)
  })

  it('hears nothing over a cut way, and the same again after it heals', () => {
    const mesh = newMesh(2)
    mesh.run(5)
    const [a, b] = mesh.nodes as [MeshNode, MeshNode]
    mesh.network.cut(a.id, b.id)
    a.say(5)
    b.say(6)
    mesh.run(1)
    expect(b.known.get(a.id)?.number).toBe(0)
    expect(a.known.get(b.id)?.number).toBe(6)
    mesh.network.heal()
    mesh.run(120)
    expect(b.known.get(a.id)?.number).toBe(5)
  })

  it('is the same for the same seed, and another for another', () => {
    const counts = [3, 3, 4].map(seed => {
      const mesh = newMesh(20, { loss: 0.1 }, seed)
      mesh.run(60)
      return mesh.network.counts
    })
    expect(counts[0]).toEqual(counts[1])
    expect(counts[2]).not.toEqual(counts[0])
  })
})

interface MeshNode {
  readonly id: NodeId
  readonly known: Map<NodeId, { number: number; envelope: Envelope }>
  say(number: number): void
}

function newMesh(size: number, conditions: Partial<NetworkConditions> = {}, seed = 1) {
  const time = newTime(seed)
  const network = new MemoryGossipNetwork(time, conditions)
  const ids = Array.from({ length: size }, (_, index) => idOf(index))
  const nodes = ids.map(id => newNode(network, id, ids[0] as NodeId))
  return {
    network,
    nodes,
    run: (seconds: number) => time.run(seconds * 1000),
    differing: () => {
      const hashes = new Set(nodes.map(({ known }) => hashDigest(digestOf(known)).join()))
      return hashes.size - 1
    },
  }
}

function newNode(network: MemoryGossipNetwork, id: NodeId, bootstrap: NodeId): MeshNode {
  const known: MeshNode['known'] = new Map()
  const take = (envelope: Envelope, author: NodeId, payload: Uint8Array) => {
    const number = Number(new TextDecoder().decode(payload))
    if ((known.get(author)?.number ?? -1) >= number) return false
    known.set(author, { number, envelope })
    return true
  }
  const handlers: GossipHandlers = {
    announced: (envelope, { author, payload }) =>
      take(envelope, author, payload) ? { kind: 'accept' } : { kind: 'ignore', reason: 'known' },
    refused: () => undefined,
    sync: {
      setHash: () => hashDigest(digestOf(known)),
      digest: () => digestOf(known),
      envelopes: wanted =>
        wanted.flatMap(node => {
          const envelope = known.get(node)?.envelope
          return envelope === undefined ? [] : [{ envelope, ageMilliseconds: 0 }]
        }),
      admit: entries => {
        for (const { envelope, opened } of entries) take(envelope, opened.author, opened.payload)
      },
    },
    candidates: () =>
      [...known.keys()]
        .filter(node => node !== id)
        .sort((a, b) => pairRank(id, a) - pairRank(id, b))
        .map((node, index) => ({ node, addresses: [], wanted: index < 6 })),
    twinMet: () => undefined,
    neighboursChanged: () => undefined,
    synced: () => undefined,
  }
  const gossip = network.join(id, handlers, [bootstrap])
  const say = (number: number) => {
    const payload = new TextEncoder().encode(String(number))
    const envelope = new Uint8Array([...new TextEncoder().encode(id), ...payload])
    known.set(id, { number, envelope })
    void gossip.publish(envelope)
  }
  say(0)
  return { id, known, say }
}

function digestOf(known: MeshNode['known']): readonly DigestEntry[] {
  return [...known]
    .map(([node, { number }]) => ({ node, sequence: { incarnation: 1, counter: number } }))
    .sort((a, b) => (a.node < b.node ? -1 : 1))
}

function idOf(index: number): NodeId {
  const digits = String(index).padStart(4, '0').replaceAll('0', 'z')
  const id = parseNodeId(`12D3KooW${digits.padStart(44, 'A')}`)
  if (id === null) throw new Error('bad test id')
  return id
}

/** Mulberry32 for chance, a sorted list for time: enough for a test. */
function newTime(seed: number): FakeTime & { run(milliseconds: number): void } {
  const queue: { at: number; order: number; action: () => void }[] = []
  let now = 0
  let order = 0
  let state = seed
  return {
    now: () => now,
    random: () => {
      state = (state + 0x6d2b79f5) | 0
      let value = Math.imul(state ^ (state >>> 15), 1 | state)
      value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value
      return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32
    },
    schedule: (delay, action) => {
      order += 1
      const item = { at: now + delay, order, action }
      let low = 0
      let high = queue.length
      while (low < high) {
        const middle = (low + high) >> 1
        const other = queue[middle] as (typeof queue)[number]
        if (other.at > item.at || (other.at === item.at && other.order > item.order)) low = middle + 1
        else high = middle
      }
      queue.splice(low, 0, item)
    },
    run: milliseconds => {
      const end = now + milliseconds
      for (;;) {
        const next = queue.at(-1)
        if (next === undefined || next.at > end) break
        queue.pop()
        now = next.at
        next.action()
      }
      now = end
    },
  }
}
