import { appendFile, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import {
  historyFileBytesMax,
  historySaveMilliseconds,
  pastEventsMax,
  pastEventTextCharactersMax,
} from '../model/limits.ts'
import { parseNodeId, parseNodeName } from '../model/node.ts'
import { type PastEvent, pastEventKinds } from '../model/past-event.ts'
import type { Cancel, Clock } from './clock.ts'
import type { FieldsOf, LogEvent } from './events.ts'
import { readWhole } from './files.ts'
import type { Log } from './log.ts'
import { pastEventOf } from './past-event.ts'

/** What happened, the last events of it, in memory and in two bounded files of the state directory. */
export interface History {
  note<Event extends LogEvent>(event: Event, fields: FieldsOf<Event>): void
  /** Oldest first. */
  after(number: number): readonly PastEvent[]
  /** Writes what is not written yet. */
  close(): Promise<void>
}

/** What was written before, and what is written now, in the state directory. */
export function historyFiles(directory: string): readonly [old: string, current: string] {
  const path = join(directory, 'events.jsonl')
  return [`${path}.old`, path]
}

/** A damaged line costs itself alone, and a full disk what cannot be written: the history is nice to have. */
export async function openHistory(directory: string, clock: Clock): Promise<History> {
  const [old, path] = historyFiles(directory)
  const texts = await Promise.all([old, path].map(readText))
  const events = texts
    .flatMap(text => text.split('\n').flatMap(parseLine))
    .sort((a, b) => a.number - b.number)
    .slice(-pastEventsMax)
  let unsaved: PastEvent[] = []
  let pending: Cancel | null = null
  let writing: Promise<void> | null = null

  /** One at a time: what comes while a disk hangs waits as events, the last ones of them. */
  function save(): void {
    pending = null
    if (writing !== null) return
    const lines = newestLines(unsaved)
    unsaved = []
    writing = append(path, lines)
      .catch(() => undefined)
      .finally(() => {
        writing = null
        if (unsaved.length > 0) saveSoon()
      })
  }

  function saveSoon(): void {
    pending ??= clock.setTimer(historySaveMilliseconds, save)
  }

  return {
    note(event, fields) {
      const told = pastEventOf(event, fields)
      if (told === null) return
      const number = (events.at(-1)?.number ?? 0) + 1
      const noted = { number, at: clock.wallSeconds() * 1000, ...sharing(told, events) }
      events.push(noted)
      if (events.length > pastEventsMax) events.shift()
      unsaved.push(noted)
      if (unsaved.length > pastEventsMax) unsaved.shift()
      saveSoon()
    },
    after: number => events.filter(event => event.number > number),
    async close() {
      await writing
      pending?.()
      save()
      await writing
    },
  }
}

/** The same log, of which the history is kept as well, whatever its level shows. */
export function keepHistory(log: Log, history: Pick<History, 'note'>): Log {
  const both =
    <Level extends 'debug' | 'info' | 'warn' | 'error'>(level: Level): Log[Level] =>
    (event, ...fields) => {
      history.note(event, (fields[0] ?? {}) as FieldsOf<typeof event>)
      log[level](event, ...fields)
    }
  return { ...log, debug: both('debug'), info: both('info'), warn: both('warn'), error: both('error') }
}

/** The same with texts of earlier events where they are equal: the same few members rise and fall again and again. */
function sharing<Told extends Pick<PastEvent, 'node' | 'name' | 'text'>>(
  told: Told,
  events: readonly PastEvent[],
): Told {
  const node = events.findLast(event => event.node === told.node)?.node ?? told.node
  const name = events.findLast(event => event.name === told.name)?.name ?? told.name
  const text = events.findLast(event => event.text === told.text)?.text ?? told.text
  return { ...told, node, name, text }
}

/** As many of the last events as one file holds. */
function newestLines(events: readonly PastEvent[]): string {
  const lines: string[] = []
  let bytes = 0
  for (const event of events.toReversed()) {
    // Each line begins with its newline, so that half a line from a crash spoils no other.
    const line = `\n${JSON.stringify(event)}`
    bytes += Buffer.byteLength(line)
    if (bytes > historyFileBytesMax) break
    lines.unshift(line)
  }
  return lines.join('')
}

/** When one file is full, it becomes the old one, and the old one goes. */
async function append(path: string, lines: string): Promise<void> {
  if (lines === '') return
  const size = await stat(path).then(
    status => status.size,
    () => 0,
  )
  if (size + Buffer.byteLength(lines) > historyFileBytesMax) await rename(path, `${path}.old`)
  await appendFile(path, lines, { mode: 0o600 })
}

async function readText(path: string): Promise<string> {
  const read = await readWhole(path, historyFileBytesMax)
  return read.ok && read.value !== null ? Buffer.from(read.value.bytes).toString('utf8') : ''
}

function parseLine(line: string): readonly PastEvent[] {
  try {
    const { number, at, kind, node, name, text } = JSON.parse(line) as Partial<PastEvent>
    const isWhole =
      Number.isSafeInteger(number) &&
      Number.isSafeInteger(at) &&
      Math.abs(at as number) <= dateMillisecondsMax &&
      pastEventKinds.some(known => known === kind) &&
      (node === null || parseNodeId(String(node)) !== null) &&
      (name === null || parseNodeName(String(name)) !== null) &&
      typeof text === 'string' &&
      text.length <= pastEventTextCharactersMax
    return isWhole ? [{ number, at, kind, node, name, text } as PastEvent] : []
  } catch {
    return []
  }
}

/** ECMA-262 section 21.4.1.1: what a Date can hold. */
const dateMillisecondsMax = 8.64e15
