import {
  digestPageEntriesMax,
  envelopesPerSyncMax,
  syncMessageBytesMax,
  syncPagesMax,
  syncWantedUnpagedMax,
  wholeDigestEntriesMax,
} from '../model/limits.ts'
import type { NodeId } from '../model/node.ts'
import {
  compareDigests,
  type DigestEntry,
  type DigestRange,
  type SyncedEnvelope,
  type SyncMessage,
} from './sync.ts'

/** One side's set, as an exchange reads it: every announcement known there, its own among them. */
export interface SyncSet {
  /** 16 bytes; equal exactly when the sets of (node, sequence) are. */
  setHash(): Uint8Array
  /** Sorted by node. */
  digest(): readonly DigestEntry[]
  /** Unknown nodes are passed over. */
  envelopes(nodes: readonly NodeId[]): readonly SyncedEnvelope[]
}

export type HashMessage = Extract<SyncMessage, { kind: 'hash' }>
type DigestMessage = Extract<SyncMessage, { kind: 'digest' }>
type EnvelopesMessage = Extract<SyncMessage, { kind: 'envelopes' }>

/** `full`: the other side, of before version 0.2, has more than it can say at once: another sweep is due. */
export type SweepEnd =
  | { readonly kind: 'done'; readonly theirs: Uint8Array; readonly full: boolean }
  | { readonly kind: 'broken'; readonly reply: SyncMessage['kind'] }

/** Yields questions and is given the answers, whose envelopes were admitted by then. */
export type Sweep = Generator<SyncMessage, SweepEnd, SyncMessage>

/** An envelope in a message takes so much more than its own bytes: three heads of at most 3, 1 and 9 bytes. */
const envelopeFramingBytes = 13
/** What else is in a message: kinds, list heads, a range. */
const messageFramingBytes = 256
/** A node id and its head. */
const wantedBytes = 54

/**
 * The asked side keeps nothing between messages: a hash is answered by `equal` or our hash, a digest by what the
 * asker lacks and the names of what we lack, envelopes (admitted before) by our new hash. Null: not a question.
 */
export function answerSync(question: SyncMessage, set: SyncSet): SyncMessage | null {
  switch (question.kind) {
    case 'hash': {
      const hash = set.setHash()
      return isSameHash(hash, question.hash) ? { kind: 'equal' } : hashMessage(hash)
    }
    case 'digest':
      return answerDigest(question, set)
    case 'envelopes':
      return hashMessage(set.setHash())
    case 'equal':
      return null
  }
}

/** What opens every exchange. Says that we know pages; who does not know the field steps over it. */
export function hashMessage(hash: Uint8Array): HashMessage {
  return { kind: 'hash', hash, pages: true }
}

/**
 * One comparison of both whole sets, after the other side's hash showed that they differ: page by page where it knows
 * pages, else as nodes before version 0.2 do it.
 */
export function sweep(theirs: HashMessage, set: SyncSet): Sweep {
  return theirs.pages === true ? sweepPages(set) : sweepWhole(theirs, set)
}

/** Whether this answer is one to a whole digest, of a node before version 0.2: it may be as long as theirs. */
export function isWholeDigest(question: SyncMessage): boolean {
  return question.kind === 'digest' && question.range === undefined
}

/** An asker that does not know pages got a part of what it lacks, or was asked for a part of what we lack. */
export function isCutShort(question: SyncMessage, reply: SyncMessage): boolean {
  return isWholeDigest(question) && reply.kind === 'envelopes' && reply.comparedUpTo !== undefined
}

/** Whether this answer ends a comparison: nothing of the asker's set is left for another page. */
export function endsSweep(question: SyncMessage, reply: SyncMessage): boolean {
  if (question.kind !== 'digest' || reply.kind !== 'envelopes' || reply.comparedUpTo !== undefined)
    return false
  return question.range === undefined || question.range.upTo === null
}

export function isSameHash(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index])
}

/** So much that it fits into one message, in the order of ids, so that the asker knows from where to go on. */
function answerDigest({ entries, range }: DigestMessage, set: SyncSet): EnvelopesMessage {
  const mine = range === undefined ? set.digest() : entriesIn(set.digest(), range)
  const { offered, wanted } = compareDigests(mine, entries)
  const wantedMax = range === undefined ? syncWantedUnpagedMax : envelopesPerSyncMax
  const room = syncMessageBytesMax - messageFramingBytes - Math.min(wanted.length, wantedMax) * wantedBytes
  const envelopes = set.envelopes(offered.slice(0, envelopesPerSyncMax))
  const fitting = countFitting(envelopes, room)
  const ends = [offered[fitting], wanted[wantedMax]].filter(node => node !== undefined).sort()
  const [end] = ends
  if (end === undefined) return { kind: 'envelopes', envelopes, wanted }
  const offeredNow = offered.slice(0, fitting).filter(node => node < end)
  const wantedNow = wanted.slice(0, wantedMax).filter(node => node < end)
  const [last] = [offeredNow.at(-1), wantedNow.at(-1)]
    .filter(node => node !== undefined)
    .sort()
    .reverse()
  return {
    kind: 'envelopes',
    envelopes: envelopes.slice(0, offeredNow.length),
    wanted: wantedNow,
    ...(last === undefined ? {} : { comparedUpTo: last }),
  }
}

function entriesIn(digest: readonly DigestEntry[], { after, upTo }: DigestRange): readonly DigestEntry[] {
  return digest.filter(({ node }) => (after === null || node > after) && (upTo === null || node <= upTo))
}

function countFitting(envelopes: readonly SyncedEnvelope[], room: number): number {
  let left = room
  const end = envelopes.findIndex(({ envelope }) => {
    left -= envelope.length + envelopeFramingBytes
    return left < 0
  })
  return end < 0 ? envelopes.length : end
}

function* sweepPages(set: SyncSet): Sweep {
  let after: NodeId | null = null
  for (let page = 0; page < syncPagesMax; page += 1) {
    const question = digestPage(set.digest(), after)
    const reply = yield question
    if (reply.kind !== 'envelopes') return { kind: 'broken', reply: reply.kind }
    const next: NodeId | null = reply.comparedUpTo ?? question.range.upTo
    const isLast = next === null || page === syncPagesMax - 1
    if (isLast || reply.wanted.length > 0) {
      const given: SweepEnd = yield* give(set, reply.wanted)
      if (isLast || given.kind === 'broken') return given
    }
    // Who leads us back leads us nowhere.
    if (next === null || (after !== null && next <= after)) return { kind: 'broken', reply: reply.kind }
    after = next
  }
  return { kind: 'broken', reply: 'envelopes' }
}

function digestPage(digest: readonly DigestEntry[], after: NodeId | null) {
  const start = after === null ? 0 : digest.findIndex(({ node }) => node > after)
  const entries = start < 0 ? [] : digest.slice(start, start + digestPageEntriesMax)
  const isLast = start < 0 || start + digestPageEntriesMax >= digest.length
  const upTo = isLast ? null : (entries.at(-1)?.node ?? null)
  return { kind: 'digest', entries, range: { after, upTo } } as const
}

/** A set whose digest does not fit into one message is not compared with a node that does not know pages. */
function* sweepWhole(theirs: HashMessage, set: SyncSet): Sweep {
  const entries = set.digest()
  if (entries.length > wholeDigestEntriesMax) return { kind: 'done', theirs: theirs.hash, full: false }
  const reply = yield { kind: 'digest', entries }
  if (reply.kind !== 'envelopes') return { kind: 'broken', reply: reply.kind }
  const { envelopes, wanted } = reply
  const full = envelopes.length >= envelopesPerSyncMax || wanted.length >= envelopesPerSyncMax
  const given = yield* give(set, wanted)
  return given.kind === 'done' ? { ...given, full } : given
}

/** In as many messages as it takes, one at least: its answer tells the other's new hash. */
function* give(set: SyncSet, wanted: readonly NodeId[]): Sweep {
  let left = set.envelopes(wanted)
  for (;;) {
    const fitting = countFitting(left, syncMessageBytesMax - messageFramingBytes)
    const reply = yield { kind: 'envelopes', envelopes: left.slice(0, fitting), wanted: [] }
    if (reply.kind !== 'hash') return { kind: 'broken', reply: reply.kind }
    left = left.slice(fitting)
    if (left.length === 0 || fitting === 0) return { kind: 'done', theirs: reply.hash, full: false }
  }
}
