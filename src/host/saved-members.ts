import { encode } from 'cborg'
import { decodeMap, readInteger, readList } from '../mesh/cbor.ts'
import type { SyncedEnvelope } from '../mesh/sync.ts'
import { envelopeBytesMax, membersMax } from '../model/limits.ts'
import { damaged, type Parsed } from './saved-state.ts'

const membersVersion = 1
const field = { version: 0, savedAt: 1, members: 2 } as const

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
  const map = decodeMap(bytes)
  const version = readInteger(map?.get(field.version))
  if (map === null || version === null) return damaged
  if (version > membersVersion) return { kind: 'newer', version }
  const savedAt = readInteger(map.get(field.savedAt))
  const members = readList(map.get(field.members), readMember)
  if (savedAt === null || members === null || members.length > membersMax) return damaged
  const elapsed = Math.max(0, wallSeconds - savedAt) * 1000
  return {
    kind: 'whole',
    value: members.map(({ envelope, ageMilliseconds }) => ({
      envelope,
      ageMilliseconds: ageMilliseconds + elapsed,
    })),
  }
}

function readMember(value: unknown): SyncedEnvelope | null {
  if (!Array.isArray(value)) return null
  const envelope: unknown = value[0]
  const ageMilliseconds = readInteger(value[1])
  if (!(envelope instanceof Uint8Array) || envelope.length > envelopeBytesMax || ageMilliseconds === null)
    return null
  return { envelope, ageMilliseconds }
}
