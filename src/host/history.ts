import { historySaveMilliseconds, pastEventsMax, recentEventsMax, saveSecondsMax } from '../model/limits.ts'
import type { PastEvent } from '../model/past-event.ts'
import type { Cancel, Clock } from './clock.ts'
import type { FieldsOf, LogEvent } from './events.ts'
import { appendLines, firstLines, readEvents } from './history-files.ts'
import type { Log } from './log.ts'
import { pastEventOf } from './past-event.ts'

/** What happened, the last events of it, in two bounded files of the state directory. */
export interface History {
  note<Event extends LogEvent>(event: Event, fields: FieldsOf<Event>): void
  /** Oldest first. Reads the files only for what is long past. */
  after(number: number): Promise<readonly PastEvent[]>
  /** Writes what is not written yet. */
  close(): Promise<void>
}

/** A damaged line costs itself alone, and a full disk what is too much to be kept in memory: it is nice to have. */
export async function openHistory(directory: string, clock: Clock): Promise<History> {
  let recent = inOrder(await readEvents(directory)).slice(-recentEventsMax)
  let unsaved: PastEvent[] = []
  let pending: Cancel | null = null
  let writing: Promise<boolean> | null = null
  let reading: Promise<readonly PastEvent[]> | null = null
  let disk: Promise<unknown> = Promise.resolve()

  /** One at a time: nothing is read while it is written or put aside. */
  function atDisk<Value>(work: () => Promise<Value>): Promise<Value> {
    const done = disk.then(work)
    disk = done.catch(() => undefined)
    return done
  }

  /** What comes while a disk hangs waits, the last of it; what could not be written is tried again with what comes. */
  function save(): Promise<boolean> {
    pending?.()
    pending = null
    if (writing !== null) return writing
    const { text, last } = firstLines(unsaved)
    writing = atDisk(() => appendLines(directory, text))
      .then(() => {
        unsaved = unsaved.filter(({ number }) => number > last)
        return true
      })
      .catch(() => false)
      .finally(() => {
        writing = null
      })
    return writing
  }

  function saveSoon(): void {
    pending ??= clock.setTimer(historySaveMilliseconds, async () => {
      if ((await save()) && unsaved.length > 0) saveSoon()
    })
  }

  /** All who ask before a reading begins share it: a disk that hangs is asked no more than twice. */
  function saved(): Promise<readonly PastEvent[]> {
    reading ??= atDisk(() => {
      reading = null
      return readEvents(directory)
    })
    return reading
  }

  return {
    note(event, fields) {
      const told = pastEventOf(event, fields)
      if (told === null) return
      const noted = { number: numberOf(recent) + 1, at: clock.wallSeconds() * 1000, ...told }
      recent = [...recent, noted].slice(-recentEventsMax)
      unsaved.push(noted)
      if (unsaved.length > pastEventsMax) unsaved.shift()
      saveSoon()
    },
    async after(number) {
      const isRecent = number + 1 >= (recent[0]?.number ?? 1)
      const past = isRecent ? [] : await orNothing(saved(), clock)
      const events = inOrder([...past, ...unsaved, ...recent]).slice(-pastEventsMax)
      return events.filter(event => event.number > number)
    },
    async close() {
      await writing
      while (unsaved.length > 0 && (await save()));
      await disk
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

/** By number, each once: what was written may be on its way out of memory still. */
function inOrder(events: readonly PastEvent[]): readonly PastEvent[] {
  const byNumber = new Map(events.map(event => [event.number, event]))
  return [...byNumber.values()].sort((a, b) => a.number - b.number)
}

function numberOf(events: readonly PastEvent[]): number {
  return events.at(-1)?.number ?? 0
}

/** A disk that hangs is not waited for. */
function orNothing(
  events: Promise<readonly PastEvent[]>,
  { setTimer }: Pick<Clock, 'setTimer'>,
): Promise<readonly PastEvent[]> {
  return new Promise(resolve => {
    const cancel = setTimer(saveSecondsMax * 1000, () => resolve([]))
    void events.then(resolve).finally(cancel)
  })
}
