import { randomBytes } from 'node:crypto'
import { constants, type FileHandle, link, mkdir, open, rename, stat, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { failed, ok, type Result } from '../model/failure.ts'

/** The bytes of a file with its mode, or null when there is no such file. Refuses what is longer than `bytesMax` or no file. */
export async function readWhole(path: string, bytesMax: number): Promise<Result<FileContent | null>> {
  try {
    // Without O_NONBLOCK, a named pipe would be waited for.
    const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
    try {
      return await readHandle(handle, path, bytesMax)
    } finally {
      await handle.close()
    }
  } catch (error) {
    return codeOf(error) === 'ENOENT' ? ok(null) : ioFailure('read', path, error)
  }
}

export interface FileContent {
  readonly bytes: Uint8Array
  /** Permission bits. */
  readonly mode: number
}

/** Whether others than the owner may read, write or run it. */
export function isOpenToOthers(mode: number): boolean {
  return (mode & 0o077) !== 0
}

/**
 * Replaces a file as a whole: after a crash at any point, either the old or the new content is there.
 * On failure what was there stays. Not for two writers of one path at once.
 */
export async function writeWhole(path: string, bytes: Uint8Array, mode: number): Promise<Result<void>> {
  const temporary = join(dirname(path), `.${basename(path)}.new`)
  try {
    await writeDurably(temporary, bytes, mode, 'w')
    await rename(temporary, path)
    await syncDirectory(dirname(path))
    return ok(undefined)
  } catch (error) {
    await removeQuietly(temporary)
    return ioFailure('write', path, error)
  }
}

/** Writes a file that must not be there yet, as a whole and for good; false when it is there already. */
export async function createWhole(path: string, bytes: Uint8Array, mode: number): Promise<Result<boolean>> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.new`)
  try {
    await writeDurably(temporary, bytes, mode, 'wx')
    await link(temporary, path)
    await syncDirectory(dirname(path))
    return ok(true)
  } catch (error) {
    return codeOf(error) === 'EEXIST' ? ok(false) : ioFailure('write', path, error)
  } finally {
    await removeQuietly(temporary)
  }
}

/**
 * Makes a directory with all its parents, and tells which ones it made, outermost first; one that is there stays as
 * it is. Not by node's own recursion, which says "no such file" of a read-only file system.
 */
export async function makeDirectory(path: string, mode: number): Promise<Result<readonly string[]>> {
  try {
    await mkdir(path, { mode })
    return ok([path])
  } catch (error) {
    if (codeOf(error) === 'EEXIST' && (await isDirectory(path))) return ok([])
    if (codeOf(error) !== 'ENOENT' || dirname(path) === path) return ioFailure('make directory', path, error)
  }
  const parents = await makeDirectory(dirname(path), mode)
  if (!parents.ok) return parents
  const own = await makeDirectory(path, mode)
  return own.ok ? ok([...parents.value, ...own.value]) : own
}

export async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

export async function removeQuietly(path: string): Promise<void> {
  await unlink(path).catch(() => undefined)
}

export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}

/** One sentence for what the file system refused, with the remedy. */
export function ioFailure(action: string, path: string, error: unknown): Result<never> {
  const code = codeOf(error)
  const [why, remedy] = ioReasons[code] ?? [error instanceof Error ? error.message : String(error), null]
  return failed(`cannot ${action} ${path}`, { why, remedy })
}

const ioReasons: Readonly<Record<string, readonly [why: string, remedy: string]>> = {
  EACCES: ['permission denied', 'run as root, or give this user the right to it'],
  EPERM: ['not permitted', 'run as root, or look for an immutable flag (lsattr)'],
  EROFS: ['the file system is read-only', 'remount it writable or choose another path'],
  ENOSPC: ['the disk is full', 'free some space'],
  EDQUOT: ['the disk quota is used up', 'free some space'],
  ENOENT: ['no such file or directory', 'make its directory first'],
  ENOTDIR: ['a part of the path is not a directory', 'correct the path'],
  EISDIR: ['it is a directory', 'correct the path'],
  EEXIST: ['something else is there already', 'correct the path'],
  EIO: ['the disk reports an input/output error', 'check it (dmesg)'],
  EMFILE: ['too many open files', 'raise the limit (LimitNOFILE)'],
  ELOOP: ['too many symbolic links', 'correct the path'],
  ENAMETOOLONG: ['the path is too long', 'choose a shorter one'],
}

async function isDirectory(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isDirectory() ?? false
}

async function readHandle(handle: FileHandle, path: string, bytesMax: number): Promise<Result<FileContent>> {
  const status = await handle.stat()
  if (!status.isFile())
    return failed(`cannot read ${path}`, { why: 'it is not a regular file', remedy: 'correct the path' })
  if (status.size > bytesMax)
    return failed(`cannot read ${path}`, { why: `it is larger than ${bytesMax} bytes` })
  const buffer = Buffer.alloc(status.size + 1)
  let length = 0
  while (length < buffer.length) {
    const { bytesRead } = await handle.read(buffer, length, buffer.length - length, null)
    if (bytesRead === 0) break
    length += bytesRead
  }
  if (length > status.size)
    return failed(`cannot read ${path}`, { why: 'it grew while it was read', remedy: 'try again' })
  return ok({ bytes: new Uint8Array(buffer.subarray(0, length)), mode: status.mode & 0o7777 })
}

async function writeDurably(path: string, bytes: Uint8Array, mode: number, flags: 'w' | 'wx'): Promise<void> {
  const handle = await open(path, flags, mode)
  try {
    // The umask, or a file left by a crash, may have given it another mode.
    await handle.chmod(mode)
    await handle.writeFile(bytes)
    await handle.sync()
  } finally {
    await handle.close()
  }
}
