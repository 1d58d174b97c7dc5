import { encode } from 'cborg'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { answerSync, isFullPage, nextQuestion, type SyncSet } from '../../src/mesh/exchange.ts'
import {
  compareDigests,
  type DigestEntry,
  decodeSyncMessage,
  encodeSyncMessage,
  hashDigest,
  type SyncedEnvelope,
  type SyncMessage,
} from '../../src/mesh/sync.ts'
import { digestEntriesMax, envelopeBytesMax, envelopesPerSyncMax } from '../../src/model/limits.ts'
import { type NodeId, parseNodeId } from '../../src/model/node.ts'

const base58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
const nodes: readonly NodeId[] = Array.from(base58, letter =>
  parseNodeId(`12D3KooW${letter.repeat(44)}`),
).filter(node => node !== null)
const anyNode = fc.constantFrom(...nodes)
const anyBytes = fc.uint8Array({ maxLength: envelopeBytesMax })
const anySequence = fc.record({ incarnation: fc.nat(), counter: fc.nat() })
const anyMessage: fc.Arbitrary<SyncMessage> = fc.oneof(
  fc.record({ kind: fc.constant('hash' as const), hash: fc.uint8Array({ minLength: 16, maxLength: 16 }) }),
  fc.constant({ kind: 'equal' as const }),
  fc.record({
    kind: fc.constant('digest' as const),
    entries: fc.array(fc.record({ node: anyNode, sequence: anySequence }), { maxLength: 8 }),
  }),
  fc.record({
    kind: fc.constant('envelopes' as const),
    envelopes: fc.array(fc.record({ envelope: anyBytes, ageMilliseconds: fc.nat() }), { maxLength: 4 }),
    wanted: fc.array(anyNode, { maxLength: 8 }),
  }),
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
        expect(exchange(mine, theirs)).toBe(true)
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
    expect(answerSync({ kind: 'hash', hash: set.setHash() }, set)).toEqual({ kind: 'equal' })
    expect(nextQuestion('hash', { kind: 'equal' }, set)).toEqual({ kind: 'done', settled: true })
  })

  it('is broken by a reply out of turn', () => {
    const set = newSet({})
    const replies: SyncMessage[] = [
      { kind: 'equal' },
      { kind: 'hash', hash: new Uint8Array(16) },
      { kind: 'digest', entries: [] },
      { kind: 'envelopes', envelopes: [], wanted: [] },
    ]
    const inTurn = ['hash equal', 'hash hash', 'digest envelopes', 'envelopes hash']
    for (const asked of ['hash', 'digest', 'envelopes', 'equal'] as const)
      for (const reply of replies) {
        const { kind } = nextQuestion(asked, reply, set)
        expect(kind === 'broken', `${asked} ${reply.kind}`).toBe(!inTurn.includes(`${asked} ${reply.kind}`))
      }
    expect(answerSync({ kind: 'equal' }, set)).toBeNull()
  })

  it('has another round exactly when a page was full', () => {
    const page = (count: number): SyncMessage => ({
      kind: 'envelopes',
      envelopes: Array.from({ length: count }, () => ({ envelope: new Uint8Array(1), ageMilliseconds: 0 })),
      wanted: [],
    })
    expect(isFullPage(page(envelopesPerSyncMax))).toBe(true)
    expect(isFullPage(page(envelopesPerSyncMax - 1))).toBe(false)
    expect(isFullPage({ kind: 'equal' })).toBe(false)
  })
})

interface NumberSet extends SyncSet {
  readonly numbers: Map<string, number>
  admit(envelopes: readonly SyncedEnvelope[]): void
}

/** A set whose envelopes are `node number` in text. */
function newSet(numbers: Readonly<Record<string, number>>): NumberSet {
  const known = new Map(Object.entries(numbers))
  const digest = () => sorted([...known].map(([node, number]) => entry(node as NodeId, number)))
  return {
    numbers: known,
    digest,
    setHash: () => hashDigest(digest()),
    envelopes: wanted =>
      wanted.map(node => ({
        envelope: new TextEncoder().encode(`${node} ${known.get(node)}`),
        ageMilliseconds: 0,
      })),
    admit: envelopes => {
      for (const { envelope } of envelopes) {
        const [node, number] = new TextDecoder().decode(envelope).split(' ') as [string, string]
        if ((known.get(node) ?? -1) < Number(number)) known.set(node, Number(number))
      }
    },
  }
}

/** One whole exchange over encoded bytes; whether both sides say they are equal. */
function exchange(mine: NumberSet, theirs: NumberSet): boolean {
  let question: SyncMessage = { kind: 'hash', hash: mine.setHash() }
  for (let step = 0; step < 4; step += 1) {
    const received = decodeSyncMessage(encodeSyncMessage(question))
    if (received?.kind === 'envelopes') theirs.admit(received.envelopes)
    const reply: SyncMessage | null = received === null ? null : answerSync(received, theirs)
    if (reply === null) return false
    if (reply.kind === 'envelopes') mine.admit(reply.envelopes)
    const next = nextQuestion(question.kind, reply, mine)
    if (next.kind === 'done') return next.settled
    if (next.kind === 'broken') return false
    question = next.message
  }
  return false
}

function entry(node: NodeId, counter: number): DigestEntry {
  return { node, sequence: { incarnation: 1, counter } }
}

function sorted(entries: readonly DigestEntry[]): readonly DigestEntry[] {
  return [...entries].sort((a, b) => (a.node < b.node ? -1 : 1))
}
