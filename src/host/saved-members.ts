import { encode } from 'cborg'
import { type CborReader, readCbor, UnexpectedCbor } from '../mesh/cbor-reader.ts'
import { readEnvelope, readItems } from '../mesh/read-sync.ts'
import type { SyncedEnvelope } from '../mesh/sync.ts'
import { membersMax } from '../model/limits.ts'
import { damaged, type Parsed } from './saved-state.ts'

const membersVersion = 1
const field = { version: 0, savedAt: 1, members: 2 } as const
const fieldsMax = 16

/** The membership in the signed bytes it came in, with ages, and when that was (Unix seconds). */
export function formatMembers(members: readonly SyncedEnvelope[], wallSeconds: number): Uint8Array {
  return encode(
    new Map<number, unknown>([
      [field.version, membersVersion],
      [field.savedAt, wallSeconds],
      [
        field.members,
        members
          .slice(0, membersMax)
          .map(({ envelope, ageMilliseconds }) => [envelope, Math.round(Math.max(0, ageMilliseconds))]),
      ],
    ]),
  )
}

/** Ages grow by the time since; a clock that went backwards makes nobody younger. */
export function parseMembers(bytes: Uint8Array, wallSeconds: number): Parsed<readonly SyncedEnvelope[]> {
  const read = readCbor(bytes, readFile)
  if (read === null) return damaged
  if (read.version > membersVersion) return { kind: 'newer', version: read.version }
  const { savedAt, members } = read
  if (savedAt === null || members === null) return damaged
  const elapsed = Math.max(0, wallSeconds - savedAt) * 1000
  return {
    kind: 'whole',
    value: members.map(({ envelope, ageMilliseconds }) => ({
      envelope,
      ageMilliseconds: ageMilliseconds + elapsed,
    })),
  }
}

/** The version is the first of its fields: what a later one wrote is stepped over. */
function readFile(reader: CborReader) {
  let pairs = reader.map(fieldsMax)
  if (reader.integer() !== field.version) throw new UnexpectedCbor('no version')
  const version = reader.integer()
  let savedAt: number | null = null
  let members: readonly SyncedEnvelope[] | null = null
  for (pairs -= 1; pairs > 0; pairs -= 1) {
    const key = reader.integer()
    if (version === membersVersion && key === field.savedAt) savedAt = reader.integer()
    else if (version === membersVersion && key === field.members)
      members = readItems(reader, membersMax, readEnvelope)
    else reader.skip(Number.POSITIVE_INFINITY)
  }
  return { version, savedAt, members }
}
