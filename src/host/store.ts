import { readdir, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { failed, ok, type Result } from '../model/failure.ts'
import { membersFileBytesMax, setAsideFilesMax, stateFileBytesMax } from '../model/limits.ts'
import { noticed, type Problem } from '../model/problem.ts'
import type { Clock } from './clock.ts'
import { ioFailure, makeDirectory, readWhole, removeQuietly, writeWhole } from './files.ts'
import { createSaveQueue } from './save-queue.ts'
import { formatMembers, parseMembers, type SavedMember } from './saved-members.ts'
import { formatState, freshState, type Parsed, parseState, type SavedState } from './saved-state.ts'
import { lockDirectory } from './state-lock.ts'

export type { SavedState } from './saved-state.ts'

/** The state directory, as it was found, and what is written to it. */
export interface Store {
  readonly saved: SavedState
  /** The last membership, each a little older than when it was saved. Not verified. */
  readonly members: readonly SavedMember[]
  /** Files that were found damaged and set aside. */
  readonly notes: readonly Problem[]
  /** On failure what was there stays. */
  saveState(state: SavedState): Promise<Result<void>>
  saveMembers(members: readonly SavedMember[]): Promise<Result<void>>
  /** After what is being written. */
  close(): Promise<void>
}

/** Takes the state directory for this process alone. Damaged files are set aside; a newer state is a failure. */
export async function openStore(
  directory: string,
  clock: Pick<Clock, 'wallSeconds'>,
): Promise<Result<Store>> {
  const made = await makeDirectory(directory, 0o700)
  if (!made.ok) return made
  const lock = await lockDirectory(directory)
  if (!lock.ok) return lock
  await removeLeftovers(directory)
  const state = await load(stateFile(directory), freshState, parseState)
  const members = await load(membersFile(directory), [], bytes => parseMembers(bytes, clock.wallSeconds()))
  if (!state.ok || !members.ok) {
    await lock.value.release()
    return state.ok ? (members as Result<never>) : state
  }
  const inTurn = createSaveQueue(directory)
  return ok({
    saved: state.value.content,
    members: members.value.content,
    notes: [...state.value.notes, ...members.value.notes],
    saveState: next => inTurn(() => writeWhole(stateFile(directory).path, formatState(next), 0o600)),
    saveMembers: list =>
      inTurn(() => writeWhole(membersFile(directory).path, formatMembers(list, clock.wallSeconds()), 0o600)),
    async close() {
      // What still waits for the disk is not waited for twice.
      await inTurn(async () => ok(undefined))
      await lock.value.release()
    },
  })
}

interface StateFile {
  readonly directory: string
  readonly name: string
  readonly path: string
  readonly bytesMax: number
  /** The mesh tells all of it again: never worth refusing a start. */
  readonly isCache: boolean
}

interface Loaded<Content> {
  readonly content: Content
  readonly notes: readonly Problem[]
}

function stateFile(directory: string): StateFile {
  const name = 'state.json'
  return { directory, name, path: join(directory, name), bytesMax: stateFileBytesMax, isCache: false }
}

function membersFile(directory: string): StateFile {
  return {
    directory,
    name: 'members.cbor',
    path: join(directory, 'members.cbor'),
    bytesMax: membersFileBytesMax,
    isCache: true,
  }
}

async function load<Content>(
  file: StateFile,
  empty: Content,
  parse: (bytes: Uint8Array) => Parsed<Content>,
): Promise<Result<Loaded<Content>>> {
  const parsed = await readParsed(file, parse)
  if (!parsed.ok) return parsed
  if (parsed.value === null) return ok({ content: empty, notes: [] })
  if (parsed.value.kind === 'whole') return ok({ content: parsed.value.value, notes: [] })
  if (parsed.value.kind === 'newer' && !file.isCache)
    return failed(`${file.path} was written by a newer lnetd (version ${parsed.value.version})`, {
      remedy: 'upgrade this one, or remove the file',
    })
  const aside = await setAside(file)
  return aside.ok
    ? ok({ content: empty, notes: [setAsideNote(file, aside.value, parsed.value.kind)] })
    : aside
}

async function readParsed<Content>(
  file: StateFile,
  parse: (bytes: Uint8Array) => Parsed<Content>,
): Promise<Result<Parsed<Content> | null>> {
  const read = await readWhole(file.path, file.bytesMax)
  if (read.ok) return ok(read.value === null ? null : parse(read.value.bytes))
  const status = await stat(file.path).catch(() => null)
  // We never write that much: it is damaged like any other.
  return status?.isFile() && status.size > file.bytesMax ? ok({ kind: 'damaged' }) : read
}

/** Renames a damaged file to `NAME.corrupt-<n>`, keeps the last few of them, and tells the new name. */
async function setAside({ directory, name, path }: StateFile): Promise<Result<string>> {
  try {
    const numbers = (await readdir(directory))
      .flatMap(entry => (entry.startsWith(`${name}.corrupt-`) ? [Number(entry.slice(name.length + 9))] : []))
      .filter(Number.isSafeInteger)
      .sort((a, b) => a - b)
    const next = `${path}.corrupt-${(numbers.at(-1) ?? 0) + 1}`
    await rename(path, next)
    for (const number of numbers.slice(0, Math.max(0, numbers.length + 1 - setAsideFilesMax)))
      await removeQuietly(`${path}.corrupt-${number}`)
    return ok(next)
  } catch (error) {
    return ioFailure('set aside', path, error)
  }
}

function setAsideNote({ name, path }: StateFile, aside: string, kind: 'damaged' | 'newer'): Problem {
  const reason = kind === 'damaged' ? 'was damaged' : 'seems written by a newer lnetd, or damaged,'
  return noticed('state-set-aside', name, `${path} ${reason} and is now ${aside}`, {
    why: 'lnetd started without it',
    remedy: `check the disk (dmesg), then remove ${aside}`,
  })
}

/** What a crash in the middle of making a key left behind. */
async function removeLeftovers(directory: string): Promise<void> {
  const names = await readdir(directory).catch(() => [])
  const leftovers = names.filter(name => /^\.(identity|wireguard)\.key\.[0-9a-f]{12}\.new$/.test(name))
  for (const name of leftovers) await removeQuietly(join(directory, name))
}
