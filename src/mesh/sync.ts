import { encode } from 'cborg'
import type { Announcement, Envelope } from '../model/announcement.ts'
import { digestEntriesMax, envelopeBytesMax, envelopesPerSyncMax } from '../model/limits.ts'
import type { Member } from '../model/member.ts'
import { compareSequence, isSequence, type NodeId, parseNodeId, type Sequence } from '../model/node.ts'
import { decodeMap } from './cbor.ts'
import { digest } from './derive.ts'

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
  | { readonly kind: 'hash'; readonly hash: Uint8Array }
  | { readonly kind: 'equal' }
  | { readonly kind: 'digest'; readonly entries: readonly DigestEntry[] }
  | {
      readonly kind: 'envelopes'
      readonly envelopes: readonly SyncedEnvelope[]
      /** Nodes whose announcements the sender lacks. */
      readonly wanted: readonly NodeId[]
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

/** What to send and what to ask for, at most one message full each; another round brings the rest. */
export function compareDigests(
  mine: readonly DigestEntry[],
  theirs: readonly DigestEntry[],
): DigestDifference {
  return { offered: newer(mine, theirs), wanted: newer(theirs, mine) }
}

export function encodeSyncMessage(message: SyncMessage): Uint8Array {
  switch (message.kind) {
    case 'hash':
      return encode(new Map([[0, message.hash]]))
    case 'equal':
      return encode(new Map([[1, true]]))
    case 'digest':
      return encode(
        new Map([
          [2, message.entries.map(entry => [entry.node, entry.sequence.incarnation, entry.sequence.counter])],
        ]),
      )
    case 'envelopes':
      return encode(
        new Map<number, unknown>([
          [
            3,
            message.envelopes.map(({ envelope, ageMilliseconds }) => [envelope, Math.round(ageMilliseconds)]),
          ],
          [4, message.wanted],
        ]),
      )
  }
}

/** Reads a neighbour's bytes; null when they are no sync message or break a bound. Never throws. */
export function decodeSyncMessage(bytes: Uint8Array): SyncMessage | null {
  const map = decodeMap(bytes)
  if (map === null) return null
  if (map.has(0)) return readHash(map.get(0))
  if (map.has(1)) return map.get(1) === true ? { kind: 'equal' } : null
  if (map.has(2)) return readDigest(map.get(2))
  if (map.has(3)) return readEnvelopes(map.get(3), map.get(4))
  return null
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

function newer(ours: readonly DigestEntry[], others: readonly DigestEntry[]): readonly NodeId[] {
  const known = new Map(others.map(entry => [entry.node, entry.sequence]))
  return ours
    .filter(({ node, sequence }) => {
      const other = known.get(node)
      return other === undefined || compareSequence(other, sequence) < 0
    })
    .slice(0, envelopesPerSyncMax)
    .map(({ node }) => node)
}

function readHash(value: unknown): SyncMessage | null {
  return value instanceof Uint8Array && value.length === 16 ? { kind: 'hash', hash: value } : null
}

function readDigest(value: unknown): SyncMessage | null {
  if (!Array.isArray(value) || value.length > digestEntriesMax) return null
  const entries: DigestEntry[] = []
  for (const item of value) {
    const entry = readDigestEntry(item)
    if (entry === null) return null
    entries.push(entry)
  }
  return { kind: 'digest', entries }
}

function readDigestEntry(value: unknown): DigestEntry | null {
  if (!Array.isArray(value) || typeof value[0] !== 'string') return null
  const node = parseNodeId(value[0])
  const sequence = { incarnation: value[1] as number, counter: value[2] as number }
  return node === null || !isSequence(sequence) ? null : { node, sequence }
}

function readEnvelopes(envelopes: unknown, wanted: unknown): SyncMessage | null {
  if (!Array.isArray(envelopes) || envelopes.length > envelopesPerSyncMax) return null
  if (!Array.isArray(wanted) || wanted.length > envelopesPerSyncMax) return null
  const read = envelopes.map(readEnvelope)
  const nodes = wanted.map(node => (typeof node === 'string' ? parseNodeId(node) : null))
  if (read.includes(null) || nodes.includes(null)) return null
  return { kind: 'envelopes', envelopes: read as SyncedEnvelope[], wanted: nodes as NodeId[] }
}

function readEnvelope(value: unknown): SyncedEnvelope | null {
  if (!Array.isArray(value)) return null
  const envelope: unknown = value[0]
  const age: unknown = value[1]
  if (!(envelope instanceof Uint8Array) || envelope.length > envelopeBytesMax) return null
  if (typeof age !== 'number' || !Number.isSafeInteger(age) || age < 0) return null
  return { envelope, ageMilliseconds: age }
}
