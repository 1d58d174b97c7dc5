import { encode } from 'cborg'
import { type CborReader, readCbor, UnexpectedCbor } from '../mesh/cbor-reader.ts'
import { readItems } from '../mesh/read-sync.ts'
import type { SyncedEnvelope } from '../mesh/sync.ts'
import { envelopeBytesMax, membersMax } from '../model/limits.ts'
import { damaged, type Parsed } from './saved-state.ts'

/** A member as it is kept. */
export interface SavedMember extends SyncedEnvelope {
  /** The last handshake with its key, Unix seconds; null in a file of before it was kept. */
  readonly handshakeAt: number | null
}

const membersVersion = 1
const field = { version: 0, savedAt: 1, members: 2 } as const
const fieldsMax = 16
const memberItemsMax = 8

/** The membership in the signed bytes it came in, with ages, and when that was (Unix seconds). */
export function formatMembers(members: readonly SavedMember[], wallSeconds: number): Uint8Array {
  return encode(
    new Map<number, unknown>([
      [field.version, membersVersion],
      [field.savedAt, wallSeconds],
      [
        field.members,
        members
          .slice(0, membersMax)
          .map(({ envelope, ageMilliseconds, handshakeAt }) => [
            envelope,
            Math.round(Math.max(0, ageMilliseconds)),
            ...(handshakeAt === null ? [] : [handshakeAt]),
          ]),
      ],
    ]),
  )
}

/** Ages grow by the time since; a clock that went backwards makes nobody younger. */
export function parseMembers(bytes: Uint8Array, wallSeconds: number): Parsed<readonly SavedMember[]> {
  const read = readCbor(bytes, readFile)
  if (read === null) return damaged
  if (read.version > membersVersion) return { kind: 'newer', version: read.version }
  const { savedAt, members } = read
  if (savedAt === null || members === null) return damaged
  const elapsed = Math.max(0, wallSeconds - savedAt) * 1000
  return {
    kind: 'whole',
    value: members.map(member => ({ ...member, ageMilliseconds: member.ageMilliseconds + elapsed })),
  }
}

/** The version is the first of its fields: what a later one wrote is stepped over. */
function readFile(reader: CborReader) {
  let pairs = reader.map(fieldsMax)
  if (reader.integer() !== field.version) throw new UnexpectedCbor('no version')
  const version = reader.integer()
  let savedAt: number | null = null
  let members: readonly SavedMember[] | null = null
  for (pairs -= 1; pairs > 0; pairs -= 1) {
    const key = reader.integer()
    if (version === membersVersion && key === field.savedAt) savedAt = reader.integer()
    else if (version === membersVersion && key === field.members)
      members = readItems(reader, membersMax, readMember)
    else reader.skip(Number.POSITIVE_INFINITY)
  }
  return { version, savedAt, members }
}

/** Those before version 0.2 wrote no handshakes, and pass over them. */
function readMember(reader: CborReader): SavedMember {
  const items = reader.array(memberItemsMax)
  if (items < 2) throw new UnexpectedCbor('too few items')
  const envelope = reader.bytes(envelopeBytesMax)
  const ageMilliseconds = reader.integer()
  const handshakeAt = items > 2 ? reader.integer() : null
  for (let left = items - 3; left > 0; left -= 1) reader.skip(memberItemsMax)
  return { envelope, ageMilliseconds, handshakeAt }
}
