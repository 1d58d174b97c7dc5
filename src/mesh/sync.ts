import { encode } from 'cborg'
import type { Announcement, Envelope } from '../model/announcement.ts'
import type { Member } from '../model/member.ts'
import { compareSequence, type NodeId, type Sequence } from '../model/node.ts'
import { readCbor } from './cbor-reader.ts'
import { digest } from './derive.ts'
import { readSyncMessage, syncField } from './read-sync.ts'

/** Who is known, in which version: what two nodes compare before they exchange anything. */
export interface DigestEntry {
  readonly node: NodeId
  readonly sequence: Sequence
}

/** An announcement with its age: milliseconds since its author's sequence last advanced. */
export interface SyncedEnvelope {
  readonly envelope: Envelope
  readonly ageMilliseconds: number
}

/** One message of `/lnet/sync/1`. */
export type SyncMessage =
  | {
      readonly kind: 'hash'
      readonly hash: Uint8Array
      /** The sender exchanges digests in pages; nodes before version 0.2 do not. */
      readonly pages?: true
    }
  | { readonly kind: 'equal' }
  | {
      readonly kind: 'digest'
      readonly entries: readonly DigestEntry[]
      /** The part of the sender's set that this is; absent: all of it. */
      readonly range?: DigestRange
    }
  | {
      readonly kind: 'envelopes'
      readonly envelopes: readonly SyncedEnvelope[]
      /** Nodes whose announcements the sender lacks. */
      readonly wanted: readonly NodeId[]
      /** The digest was compared up to this node only, so that the answer fits; absent: all of it. */
      readonly comparedUpTo?: NodeId
    }

/** Node ids after the one, up to and including the other; null where nothing bounds them. */
export interface DigestRange {
  readonly after: NodeId | null
  readonly upTo: NodeId | null
}

export interface DigestDifference {
  /** What the other lacks or has older. */
  readonly offered: readonly NodeId[]
  /** What we lack or have older. */
  readonly wanted: readonly NodeId[]
}

export function digestOf(members: Iterable<Member>): readonly DigestEntry[] {
  return Array.from(members, ({ announcement: { node, sequence } }) => ({ node, sequence })).sort((a, b) =>
    a.node < b.node ? -1 : 1,
  )
}

/** 16 bytes over a digest in whatever order: the sum of its entries' hashes, word by word. */
export function hashDigest(entries: readonly DigestEntry[]): Uint8Array {
  return sumOf(entries.map(hashEntry))
}

const memberHashes = new WeakMap<Announcement, Uint32Array>()

/** The same over members. Each is hashed once, so that a crowd of n that joins one by one costs n hashes, not n squared. */
export function hashMembers(members: readonly Member[]): Uint8Array {
  return sumOf(
    members.map(({ announcement }) => {
      const known = memberHashes.get(announcement)
      if (known !== undefined) return known
      const hash = hashEntry(announcement)
      memberHashes.set(announcement, hash)
      return hash
    }),
  )
}

/** What to send and what to ask for, each in the order of its side. */
export function compareDigests(
  mine: readonly DigestEntry[],
  theirs: readonly DigestEntry[],
): DigestDifference {
  const told = new Map(theirs.map(({ node, sequence }) => [node, sequence]))
  // Of a large set only what the other side names: it is asked for often.
  const shared = new Map<NodeId, Sequence>()
  const offered: NodeId[] = []
  for (const { node, sequence } of mine) {
    const other = told.get(node)
    if (other !== undefined) shared.set(node, sequence)
    if (isNewer(sequence, other)) offered.push(node)
  }
  const wanted = theirs.filter(({ node, sequence }) => isNewer(sequence, shared.get(node)))
  return { offered, wanted: wanted.map(({ node }) => node) }
}

export function encodeSyncMessage(message: SyncMessage): Uint8Array {
  return encode(new Map(fieldsOf(message)))
}

/** Reads a neighbour's bytes; null when they are no sync message or break a bound. Never throws. */
export function decodeSyncMessage(bytes: Uint8Array): SyncMessage | null {
  return readCbor(bytes, readSyncMessage)
}

function fieldsOf(message: SyncMessage): [number, unknown][] {
  switch (message.kind) {
    case 'hash': {
      const pages: [number, unknown][] = message.pages === true ? [[syncField.pages, true]] : []
      return [[syncField.hash, message.hash], ...pages]
    }
    case 'equal':
      return [[syncField.equal, true]]
    case 'digest': {
      const { entries, range } = message
      const rows = entries.map(({ node, sequence }) => [node, sequence.incarnation, sequence.counter])
      const part: [number, unknown][] =
        range === undefined ? [] : [[syncField.range, [range.after, range.upTo]]]
      return [[syncField.digest, rows], ...part]
    }
    case 'envelopes': {
      const { envelopes, wanted, comparedUpTo } = message
      const rows = envelopes.map(({ envelope, ageMilliseconds }) => [envelope, Math.round(ageMilliseconds)])
      const part: [number, unknown][] =
        comparedUpTo === undefined ? [] : [[syncField.comparedUpTo, comparedUpTo]]
      return [[syncField.envelopes, rows], [syncField.wanted, wanted], ...part]
    }
  }
}

function hashEntry({ node, sequence }: DigestEntry): Uint32Array {
  const bytes = digest('set', node, String(sequence.incarnation), String(sequence.counter))
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  return Uint32Array.from([0, 4, 8, 12], offset => view.getUint32(offset))
}

/** Every node comes up once: a sum that is equal by chance is as rare as an equal hash. */
function sumOf(hashes: readonly Uint32Array[]): Uint8Array {
  const sum = new Uint32Array(4)
  for (const hash of hashes)
    for (let word = 0; word < 4; word += 1) sum[word] = (sum[word] as number) + (hash[word] as number)
  const bytes = new Uint8Array(16)
  const view = new DataView(bytes.buffer)
  for (let word = 0; word < 4; word += 1) view.setUint32(word * 4, sum[word] as number)
  return bytes
}

function isNewer(sequence: Sequence, known: Sequence | undefined): boolean {
  return known === undefined || compareSequence(known, sequence) < 0
}
