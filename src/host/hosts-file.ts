import type { Stats } from 'node:fs'
import { chown, lstat } from 'node:fs/promises'
import { failed, ok, type Result } from '../model/failure.ts'
import { type HostEntry, parseHosts, withHosts } from '../model/hosts.ts'
import { hostEntriesBytesMax, hostsFileBytesMax } from '../model/limits.ts'
import { codeOf, ioFailure, readWhole, writeWhole } from './files.ts'

/** Where lnetd keeps the names of members, for `lnetctl names`. */
export interface HostsFile {
  /** Replaces what is there. Where nothing was, nothing is made for no names. */
  keep(text: string): Promise<Result<void>>
}

/** For everybody to read: hosts(5) is. */
export function createHostsFile(path: string): HostsFile {
  return {
    async keep(text) {
      const present = await readWhole(path, hostEntriesBytesMax)
      const before = present.ok ? present.value : null
      const bytes = Buffer.from(text)
      if (before === null ? text === '' : bytes.equals(before.bytes)) return ok(undefined)
      return writeWhole(path, bytes, 0o644)
    },
  }
}

/** The names lnetd keeps at a path; null where it keeps none. */
export async function readNames(path: string): Promise<Result<readonly HostEntry[] | null>> {
  const read = await readWhole(path, hostEntriesBytesMax)
  if (!read.ok) return read
  return ok(read.value === null ? null : parseHosts(Buffer.from(read.value.bytes).toString('latin1')))
}

/**
 * Puts names into a hosts file, in a block of their own; none take the block away. True when that changed it. Where
 * there is no file, one is made for names.
 */
export async function putNames(path: string, entries: readonly HostEntry[]): Promise<Result<boolean>> {
  const status = await statusOf(path)
  if (!status.ok) return status
  const read = await readWhole(path, hostsFileBytesMax)
  if (!read.ok) return read
  // Byte for byte, whatever its encoding.
  const before = Buffer.from(read.value?.bytes ?? []).toString('latin1')
  const after = withHosts(before, entries)
  if (after === before) return ok(false)
  const { mode, uid, gid } = status.value ?? { mode: 0o644, uid: 0, gid: 0 }
  const written = await writeWhole(path, Buffer.from(after, 'latin1'), mode & 0o7777)
  if (!written.ok) return written
  try {
    await chown(path, uid, gid)
    return ok(true)
  } catch (error) {
    return ioFailure('give back its owner to', path, error)
  }
}

/** Null where nothing is. */
async function statusOf(path: string): Promise<Result<Stats | null>> {
  try {
    const status = await lstat(path)
    return status.isFile()
      ? ok(status)
      : failed(`${path} is not a regular file`, {
          why: 'it is left alone',
          remedy: 'name the file it leads to',
        })
  } catch (error) {
    return codeOf(error) === 'ENOENT' ? ok(null) : ioFailure('look at', path, error)
  }
}
