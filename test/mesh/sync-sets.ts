import { answerSync, hashMessage, type SyncSet, sweep } from '../../src/mesh/exchange.ts'
import {
  compareDigests,
  type DigestEntry,
  decodeSyncMessage,
  encodeSyncMessage,
  hashDigest,
  type SyncedEnvelope,
  type SyncMessage,
} from '../../src/mesh/sync.ts'
import { syncMessageBytesMax, unpagedAnswerBytesMax } from '../../src/model/limits.ts'
import { type NodeId, parseNodeId } from '../../src/model/node.ts'

export interface NumberSet extends SyncSet {
  readonly numbers: Map<string, number>
  admit(envelopes: readonly SyncedEnvelope[]): void
}

export type Answerer = (question: SyncMessage) => SyncMessage | null

/** What a node of version 0.1.0 puts into one message at most. */
const envelopesMaxBefore = 1000

/** A set whose envelopes are `node number` in text, and at least so long. */
export function newSet(numbers: Readonly<Record<string, number>>, bytes = 0): NumberSet {
  const known = new Map(Object.entries(numbers))
  const digest = () =>
    sorted(
      [...known].map(([node, number]) => ({
        node: node as NodeId,
        sequence: { incarnation: 1, counter: number },
      })),
    )
  return {
    numbers: known,
    digest,
    setHash: () => hashDigest(digest()),
    envelopes: wanted =>
      wanted
        .filter(node => known.has(node))
        .map(node => ({
          envelope: new TextEncoder().encode(`${node} ${known.get(node)} `.padEnd(bytes, '.')),
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

export function sorted(entries: readonly DigestEntry[]): readonly DigestEntry[] {
  return [...entries].sort((a, b) => (a.node < b.node ? -1 : 1))
}

/** So many node ids, in order. */
export function crowd(count: number): readonly NodeId[] {
  const digits = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
  return Array.from({ length: count }, (_, index) => {
    const high = digits[Math.floor(index / digits.length ** 2)] ?? ''
    const middle = digits[Math.floor(index / digits.length) % digits.length] ?? ''
    return parseNodeId(`12D3KooW${high}${middle}${digits[index % digits.length]}${'X'.repeat(41)}`) as NodeId
  })
}

/** Every second one, with each third newer than on the other side. */
export function part(all: Readonly<Record<string, number>>, which: 0 | 1): Record<string, number> {
  return Object.fromEntries(
    Object.entries(all).flatMap(([node, number], index) => {
      if (index % 3 === 2) return [[node, which === 0 ? number + 1 : number] as const]
      return index % 2 === which ? [[node, number] as const] : []
    }),
  )
}

/** The asked side over encoded bytes; `before`: as a node of version 0.1.0 is it. */
export function answerer(set: NumberSet, before = false): Answerer {
  return question => {
    const received = decodeSyncMessage(within(encodeSyncMessage(question), syncMessageBytesMax))
    if (received?.kind === 'envelopes') set.admit(received.envelopes)
    const reply =
      received === null ? null : before ? answerAsBefore(received, set) : answerSync(received, set)
    if (reply === null) return null
    const bytesMax = before ? unpagedAnswerBytesMax : syncMessageBytesMax
    return decodeSyncMessage(within(encodeSyncMessage(reply), bytesMax))
  }
}

/** Whole exchanges, as many as are due; whether both sides say they are equal. */
export function exchange(set: NumberSet, answer: Answerer, rounds = 64): boolean {
  const theirs = answer(hashMessage(set.setHash()))
  if (theirs?.kind === 'equal') return true
  if (theirs?.kind !== 'hash' || rounds === 0) return false
  const questions = sweep(theirs, set)
  let next = questions.next()
  while (next.done !== true) {
    const reply = answer(next.value)
    if (reply === null) return false
    if (reply.kind === 'envelopes') set.admit(reply.envelopes)
    next = questions.next(reply)
  }
  return next.value.kind === 'done' && exchange(set, answer, rounds - 1)
}

/** The asking side of version 0.1.0: what is wanted of it, it gives in one message. */
export function askAsBefore(set: NumberSet, answer: Answerer): void {
  for (let round = 0; round < 64; round += 1) {
    const reply = answer({ kind: 'digest', entries: set.digest() })
    if (reply?.kind !== 'envelopes') throw new Error('no answer to a digest')
    set.admit(reply.envelopes)
    const last = answer({ kind: 'envelopes', envelopes: set.envelopes(reply.wanted), wanted: [] })
    if (last?.kind !== 'hash') throw new Error('no answer to envelopes')
    const { envelopes, wanted } = reply
    if (envelopes.length < envelopesMaxBefore && wanted.length < envelopesMaxBefore) return
  }
}

function answerAsBefore(question: SyncMessage, set: NumberSet): SyncMessage | null {
  const hash: SyncMessage = { kind: 'hash', hash: set.setHash() }
  if (question.kind === 'envelopes') return hash
  if (question.kind === 'hash') {
    return hash.hash.every((byte, index) => byte === question.hash[index]) ? { kind: 'equal' } : hash
  }
  if (question.kind === 'equal') return null
  const { offered, wanted } = compareDigests(set.digest(), question.entries)
  const envelopes = set.envelopes(offered.slice(0, envelopesMaxBefore))
  return { kind: 'envelopes', envelopes, wanted: wanted.slice(0, envelopesMaxBefore) }
}

function within(bytes: Uint8Array, bytesMax: number): Uint8Array {
  if (bytes.length > bytesMax) throw new Error(`a message of ${bytes.length} bytes`)
  return bytes
}
