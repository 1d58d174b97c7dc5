import {
  digestEntriesMax,
  envelopeBytesMax,
  envelopesPerSyncMax,
  sequenceNumberMax,
} from '../model/limits.ts'
import { type NodeId, parseNodeId } from '../model/node.ts'
import { type CborReader, UnexpectedCbor } from './cbor-reader.ts'
import type { DigestEntry, DigestRange, SyncedEnvelope, SyncMessage } from './sync.ts'

/** Keys of a sync message. Those before `pages` are all that nodes before version 0.2 know; they step over the others. */
export const syncField = {
  hash: 0,
  equal: 1,
  digest: 2,
  envelopes: 3,
  wanted: 4,
  pages: 5,
  range: 6,
  comparedUpTo: 7,
} as const

const hashBytes = 16
const nodeIdCharacters = 52
/** Of later versions: fields of a message, items of a field, and what follows what is known of an entry. */
const fieldsMax = 16
const unknownHeadsMax = 64
const entryItemsMax = 8

interface Fields {
  hash?: Uint8Array
  equal?: boolean
  digest?: readonly DigestEntry[]
  envelopes?: readonly SyncedEnvelope[]
  wanted?: readonly NodeId[]
  pages?: boolean
  range?: DigestRange
  comparedUpTo?: NodeId
}

/** Throws UnexpectedCbor for what is no sync message. */
export function readSyncMessage(reader: CborReader): SyncMessage {
  const fields = readFields(reader)
  const { hash, equal, digest, envelopes, wanted, range, comparedUpTo } = fields
  if (hash !== undefined) return { kind: 'hash', hash, ...(fields.pages === true ? { pages: true } : {}) }
  if (equal === true) return { kind: 'equal' }
  if (digest !== undefined)
    return { kind: 'digest', entries: digest, ...(range === undefined ? {} : { range }) }
  if (envelopes === undefined || wanted === undefined) throw new UnexpectedCbor('no kind of message')
  return { kind: 'envelopes', envelopes, wanted, ...(comparedUpTo === undefined ? {} : { comparedUpTo }) }
}

/** Keys come in ascending order, each once (RFC 8949 section 4.2.1). */
function readFields(reader: CborReader): Fields {
  const fields: Fields = {}
  let last = -1
  for (let pairs = reader.map(fieldsMax); pairs > 0; pairs -= 1) {
    const key = reader.integer()
    if (key <= last) throw new UnexpectedCbor('keys out of order')
    last = key
    readField(reader, key, fields)
  }
  return fields
}

function readField(reader: CborReader, key: number, fields: Fields): void {
  switch (key) {
    case syncField.hash:
      fields.hash = readHash(reader)
      return
    case syncField.equal:
      fields.equal = reader.isTrue()
      return
    case syncField.digest:
      fields.digest = readItems(reader, digestEntriesMax, readDigestEntry)
      return
    case syncField.envelopes:
      fields.envelopes = readItems(reader, envelopesPerSyncMax, readEnvelope)
      return
    case syncField.wanted:
      fields.wanted = readItems(reader, envelopesPerSyncMax, readNode)
      return
    case syncField.pages:
      fields.pages = reader.isTrue()
      return
    case syncField.range:
      fields.range = readRange(reader)
      return
    case syncField.comparedUpTo:
      fields.comparedUpTo = readNode(reader)
      return
    default:
      reader.skip(unknownHeadsMax)
  }
}

function readHash(reader: CborReader): Uint8Array {
  const hash = reader.bytes(hashBytes)
  if (hash.length !== hashBytes) throw new UnexpectedCbor('no hash')
  return hash
}

/** At most so many of one kind. */
export function readItems<Item>(
  reader: CborReader,
  itemsMax: number,
  read: (reader: CborReader) => Item,
): Item[] {
  const items: Item[] = []
  for (let left = reader.array(itemsMax); left > 0; left -= 1) items.push(read(reader))
  return items
}

function readNode(reader: CborReader): NodeId {
  const node = parseNodeId(reader.ascii(nodeIdCharacters))
  if (node === null) throw new UnexpectedCbor('no node id')
  return node
}

function readDigestEntry(reader: CborReader): DigestEntry {
  return readEntry(reader, 3, () => {
    const node = readNode(reader)
    const incarnation = reader.integer(sequenceNumberMax)
    return { node, sequence: { incarnation, counter: reader.integer(sequenceNumberMax) } }
  })
}

/** An age beyond all ages is taken by those before version 0.2, too: it says that the author is long gone. */
export function readEnvelope(reader: CborReader): SyncedEnvelope {
  return readEntry(reader, 2, () => {
    const envelope = reader.bytes(envelopeBytesMax)
    return { envelope, ageMilliseconds: reader.integer() }
  })
}

/** An array whose first items are known; later versions may add others. */
function readEntry<Entry>(reader: CborReader, known: number, read: () => Entry): Entry {
  const items = reader.array(entryItemsMax)
  if (items < known) throw new UnexpectedCbor('too few items')
  const entry = read()
  for (let left = items - known; left > 0; left -= 1) reader.skip(unknownHeadsMax)
  return entry
}

function readRange(reader: CborReader): DigestRange {
  const bound = () => (reader.skipNull() ? null : readNode(reader))
  return readEntry(reader, 2, () => ({ after: bound(), upTo: bound() }))
}
