import { envelopesPerSyncMax } from '../model/limits.ts'
import type { NodeId } from '../model/node.ts'
import { compareDigests, type DigestEntry, type SyncedEnvelope, type SyncMessage } from './sync.ts'

/** One side's set, as an exchange reads it: every announcement known there, its own among them. */
export interface SyncSet {
  /** 16 bytes; equal exactly when the sets of (node, sequence) are. */
  setHash(): Uint8Array
  digest(): readonly DigestEntry[]
  /** Unknown nodes are passed over. */
  envelopes(nodes: readonly NodeId[]): readonly SyncedEnvelope[]
}

/** What the asking side does with a reply. `settled`: both sets were equal at that moment. */
export type NextQuestion =
  | { readonly kind: 'ask'; readonly message: SyncMessage }
  | { readonly kind: 'done'; readonly settled: boolean }
  | { readonly kind: 'broken' }

/**
 * The asked side keeps nothing between messages: a hash is answered by `equal` or our hash, a digest by what the
 * asker lacks and the names of what we lack, envelopes (admitted before) by our new hash. Null: not a question.
 */
export function answerSync(question: SyncMessage, set: SyncSet): SyncMessage | null {
  switch (question.kind) {
    case 'hash': {
      const hash = set.setHash()
      return isSameHash(hash, question.hash) ? { kind: 'equal' } : { kind: 'hash', hash }
    }
    case 'digest': {
      const { offered, wanted } = compareDigests(set.digest(), question.entries)
      return { kind: 'envelopes', envelopes: set.envelopes(offered), wanted }
    }
    case 'envelopes':
      return { kind: 'hash', hash: set.setHash() }
    case 'equal':
      return null
  }
}

/** The asking side: hash, then digest if they differ, then the envelopes the other wants (its own were admitted before). */
export function nextQuestion(asked: SyncMessage['kind'], reply: SyncMessage, set: SyncSet): NextQuestion {
  if (asked === 'hash' && reply.kind === 'equal') return { kind: 'done', settled: true }
  if (asked === 'hash' && reply.kind === 'hash')
    return { kind: 'ask', message: { kind: 'digest', entries: set.digest() } }
  if (asked === 'digest' && reply.kind === 'envelopes')
    return { kind: 'ask', message: { kind: 'envelopes', envelopes: set.envelopes(reply.wanted), wanted: [] } }
  if (asked === 'envelopes' && reply.kind === 'hash')
    return { kind: 'done', settled: isSameHash(reply.hash, set.setHash()) }
  return { kind: 'broken' }
}

/** A reply so full that another round is due. */
export function isFullPage(message: SyncMessage): boolean {
  return (
    message.kind === 'envelopes' &&
    (message.envelopes.length >= envelopesPerSyncMax || message.wanted.length >= envelopesPerSyncMax)
  )
}

export function isSameHash(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index])
}
