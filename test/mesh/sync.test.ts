import { encode } from 'cborg'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { answerSync, hashMessage, sweep } from '../../src/mesh/exchange.ts'
import {
  compareDigests,
  type DigestEntry,
  decodeSyncMessage,
  encodeSyncMessage,
  hashDigest,
  type SyncMessage,
} from '../../src/mesh/sync.ts'
import { digestEntriesMax, envelopeBytesMax, envelopesPerSyncMax } from '../../src/model/limits.ts'
import { type NodeId, parseNodeId } from '../../src/model/node.ts'
import { answerer, askAsBefore, crowd, exchange, newSet, part, sorted } from './sync-sets.ts'

const base58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
const nodes: readonly NodeId[] = Array.from(base58, letter =>
  parseNodeId(`12D3KooW${letter.repeat(44)}`),
).filter(node => node !== null)
const anyNode = fc.constantFrom(...nodes)
const anyBytes = fc.uint8Array({ maxLength: envelopeBytesMax })
const anySequence = fc.record({ incarnation: fc.nat(), counter: fc.nat() })
const anyMessage: fc.Arbitrary<SyncMessage> = fc.oneof(
  fc.record(
    {
      kind: fc.constant('hash' as const),
      hash: fc.uint8Array({ minLength: 16, maxLength: 16 }),
      pages: fc.constant(true as const),
    },
    { requiredKeys: ['kind', 'hash'] },
  ),
  fc.constant({ kind: 'equal' as const }),
  fc.record(
    {
      kind: fc.constant('digest' as const),
      entries: fc.array(fc.record({ node: anyNode, sequence: anySequence }), { maxLength: 8 }),
      range: fc.record({ after: fc.option(anyNode), upTo: fc.option(anyNode) }),
    },
    { requiredKeys: ['kind', 'entries'] },
  ),
  fc.record(
    {
      kind: fc.constant('envelopes' as const),
      envelopes: fc.array(fc.record({ envelope: anyBytes, ageMilliseconds: fc.nat() }), { maxLength: 4 }),
      wanted: fc.array(anyNode, { maxLength: 8 }),
      comparedUpTo: anyNode,
    },
    { requiredKeys: ['kind', 'envelopes', 'wanted'] },
  ),
)

describe('sync messages', () => {
  it('read back as they were written', () => {
    fc.assert(
      fc.property(anyMessage, message => {
        expect(decodeSyncMessage(encodeSyncMessage(message))).toEqual(message)
      }),
    )
  })

  it('are null for hostile bytes, never an exception', () => {
    const valid = anyMessage.map(encodeSyncMessage)
    const damaged = fc.tuple(valid, fc.nat(), fc.nat({ max: 255 })).map(([bytes, at, byte]) => {
      const copy = bytes.slice()
      copy[at % copy.length] = byte
      return copy
    })
    const cut = fc.tuple(valid, fc.nat()).map(([bytes, at]) => bytes.slice(0, at % (bytes.length + 1)))
    const otherCbor = fc.anything({ withTypedArray: false }).map(value => {
      try {
        return encode(new Map<number, unknown>([[value === null ? 0 : 3, value]]))
      } catch {
        return new Uint8Array([0xff])
      }
    })
    const hostile = fc.oneof(fc.uint8Array({ maxLength: 300 }), damaged, cut, otherCbor)
    fc.assert(
      fc.property(hostile, bytes => {
        const message = decodeSyncMessage(bytes)
        expect(message === null || ['hash', 'equal', 'digest', 'envelopes'].includes(message.kind)).toBe(true)
      }),
      { numRuns: 5000 },
    )
  })

  it('break no bound', () => {
    const node = nodes[0] as NodeId
    const entries = Array.from({ length: digestEntriesMax + 1 }, () => [node, 1, 1])
    expect(decodeSyncMessage(encode(new Map([[2, entries]])))).toBeNull()
    expect(decodeSyncMessage(encode(new Map([[2, entries.slice(1)]])))).not.toBeNull()
    const envelopes = Array.from({ length: envelopesPerSyncMax + 1 }, () => [new Uint8Array(1), 0])
    expect(
      decodeSyncMessage(
        encode(
          new Map<number, unknown>([
            [3, envelopes],
            [4, []],
          ]),
        ),
      ),
    ).toBeNull()
    const oversized = [[new Uint8Array(envelopeBytesMax + 1), 0]]
    expect(
      decodeSyncMessage(
        encode(
          new Map<number, unknown>([
            [3, oversized],
            [4, []],
          ]),
        ),
      ),
    ).toBeNull()
    const negative = [[new Uint8Array(1), -1]]
    expect(
      decodeSyncMessage(
        encode(
          new Map<number, unknown>([
            [3, negative],
            [4, []],
          ]),
        ),
      ),
    ).toBeNull()
    expect(decodeSyncMessage(encode(new Map([[0, new Uint8Array(15)]])))).toBeNull()
  })
})

describe('digests', () => {
  it('hash alike exactly when they say the same', () => {
    const digest = fc.uniqueArray(fc.record({ node: anyNode, sequence: anySequence }), {
      selector: ({ node }) => node,
      maxLength: 5,
    })
    fc.assert(
      fc.property(digest, digest, (a, b) => {
        const [first, second] = [sorted(a), sorted(b)]
        const same = JSON.stringify(first) === JSON.stringify(second)
        expect(hashDigest(first).join() === hashDigest(second).join()).toBe(same)
      }),
    )
  })

  it('differ by what is newer on either side', () => {
    const [a, b, c] = nodes as [NodeId, NodeId, NodeId]
    const mine = [entry(a, 1), entry(b, 5)]
    const theirs = [entry(a, 2), entry(b, 4), entry(c, 1)]
    expect(compareDigests(mine, theirs)).toEqual({ offered: [b], wanted: [a, c] })
    expect(compareDigests(mine, mine)).toEqual({ offered: [], wanted: [] })
  })
})

describe('an exchange', () => {
  const anySet = fc.dictionary(fc.constantFrom(...nodes.slice(0, 12)), fc.nat({ max: 5 }), { maxKeys: 12 })

  it('makes any two sets equal, keeping the newest of each', () => {
    fc.assert(
      fc.property(anySet, anySet, (left, right) => {
        const [mine, theirs] = [newSet(left), newSet(right)]
        expect(exchange(mine, answerer(theirs))).toBe(true)
        expect(mine.numbers).toEqual(theirs.numbers)
        const newest = Object.keys({ ...left, ...right }).map(node => [
          node,
          Math.max(left[node] ?? -1, right[node] ?? -1),
        ])
        expect(Object.fromEntries(mine.numbers)).toEqual(Object.fromEntries(newest))
      }),
    )
  })

  it('ends with two messages when the sets are equal', () => {
    const set = newSet({ [nodes[0] as string]: 3 })
    expect(answerSync(hashMessage(set.setHash()), set)).toEqual({ kind: 'equal' })
  })

  it('is broken by a reply out of turn', () => {
    const set = newSet({})
    const hash: SyncMessage = { kind: 'hash', hash: new Uint8Array(16) }
    const envelopes: SyncMessage = { kind: 'envelopes', envelopes: [], wanted: [] }
    for (const reply of [{ kind: 'equal' } as const, hash, { kind: 'digest', entries: [] } as const])
      for (const theirs of [hashMessage(hash.hash), hash]) {
        const questions = sweep(theirs, set)
        questions.next()
        expect(questions.next(reply), reply.kind).toMatchObject({ done: true, value: { kind: 'broken' } })
      }
    const questions = sweep(hashMessage(hash.hash), set)
    questions.next()
    questions.next(envelopes)
    expect(questions.next(envelopes).value).toMatchObject({ kind: 'broken' })
    expect(answerSync({ kind: 'equal' }, set)).toBeNull()
  })

  it('is broken by a page that leads back', () => {
    const set = newSet(Object.fromEntries(crowd(2500).map(node => [node, 1])))
    const questions = sweep(hashMessage(new Uint8Array(16)), set)
    questions.next()
    const [first, second] = crowd(2500) as [NodeId, NodeId]
    const page = (comparedUpTo: NodeId) =>
      questions.next({ kind: 'envelopes', envelopes: [], wanted: [], comparedUpTo })
    expect(page(second)).toMatchObject({ done: false })
    expect(page(first)).toMatchObject({ done: true, value: { kind: 'broken' } })
  })

  it.each([10, 300, 3000])('carries a mesh of %i in messages of 256 KiB, whoever asks', count => {
    const all = Object.fromEntries(crowd(count).map((node, index) => [node, 1 + (index % 3)]))
    for (const [left, right] of [
      [all, {}],
      [{}, all],
      [part(all, 0), part(all, 1)],
    ] as const) {
      const [mine, theirs] = [newSet(left, 2000), newSet(right, 2000)]
      expect(exchange(mine, answerer(theirs))).toBe(true)
      expect(mine.numbers.size).toBe(count)
    }
  })

  it.each([10, 300, 3000])('carries a mesh of %i to and from a node of version 0.1.0', count => {
    const all = Object.fromEntries(crowd(count).map(node => [node, 1]))
    for (const [left, right] of [
      [all, {}],
      [{}, all],
      [part(all, 0), part(all, 1)],
    ] as const) {
      const [asking, old] = [newSet(left, 500), newSet(right, 500)]
      expect(exchange(asking, answerer(old, true))).toBe(true)
      const [asked, oldAsking] = [newSet(right, 500), newSet(left, 500)]
      askAsBefore(oldAsking, answerer(asked))
      // What did not fit, we ask for ourselves.
      exchange(asked, answerer(oldAsking, true))
      for (const set of [asking, old, asked, oldAsking]) expect(set.numbers.size).toBe(count)
    }
  })
})

function entry(node: NodeId, counter: number): DigestEntry {
  return { node, sequence: { incarnation: 1, counter } }
}
