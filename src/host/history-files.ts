import { appendFile, rename, stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { historyFileBytesMax, pastEventsMax, pastEventTextCharactersMax } from '../model/limits.ts'
import { parseNodeId, parseNodeName } from '../model/node.ts'
import { type PastEvent, pastEventKinds } from '../model/past-event.ts'
import { readWhole } from './files.ts'

/** What was written before, and what is written now, in the state directory. */
export function historyFiles(directory: string): readonly [old: string, current: string] {
  const path = join(directory, 'events.jsonl')
  return [`${path}.old`, path]
}

/** The last events of both files, newest first. Damage costs the line it is in, or the file that cannot be read. */
export async function readEvents(directory: string): Promise<readonly PastEvent[]> {
  const texts = await Promise.all(historyFiles(directory).map(readText))
  const lines = texts.flatMap(text => text.split('\n'))
  const events: PastEvent[] = []
  for (let index = lines.length - 1; index >= 0 && events.length < pastEventsMax; index -= 1)
    events.push(...parseLine(lines[index] ?? ''))
  return events
}

/** As many of the first events as one file holds, and the number of the last of them. */
export function firstLines(events: readonly PastEvent[]): { readonly text: string; readonly last: number } {
  let text = ''
  let bytes = 0
  let last = 0
  for (const event of events) {
    // Each line begins with its newline, so that half a line from a crash spoils no other.
    const line = `\n${JSON.stringify(event)}`
    bytes += Buffer.byteLength(line)
    if (bytes > historyFileBytesMax) break
    text += line
    last = event.number
  }
  return { text, last }
}

/** When one file is full, it becomes the old one, and the old one goes. */
export async function appendLines(directory: string, text: string): Promise<void> {
  const [old, path] = historyFiles(directory)
  let size = await stat(path).then(
    status => status.size,
    () => 0,
  )
  if (size + Buffer.byteLength(text) > historyFileBytesMax) {
    await rename(path, old)
    size = 0
  }
  try {
    await appendFile(path, text, { mode: 0o600 })
  } catch (error) {
    // What a full disk took of it is written once more, later.
    await truncate(path, size).catch(() => undefined)
    throw error
  }
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
