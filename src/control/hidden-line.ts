import type { ReadStream, WriteStream } from 'node:tty'

/** What was typed or pasted into a line that is not shown; null: given up. */
export type HiddenLine = string | null

/** Reads a line that the terminal does not show. The terminal is as before afterwards, however it ends. */
export function askHidden(
  prompt: string,
  input: ReadStream,
  output: WriteStream,
  charactersMax: number,
): Promise<HiddenLine> {
  return new Promise(resolve => {
    const line = createHiddenLine(charactersMax)
    const close = (read: HiddenLine) => {
      input.off('data', hear).off('end', giveUp).off('error', giveUp)
      process.off('exit', restore)
      restore()
      input.pause()
      output.write('\n')
      resolve(read)
    }
    const hear = (chunk: Buffer) => {
      const read = line.feed(chunk.toString('latin1'))
      if (read !== undefined) close(read)
    }
    const giveUp = () => close(null)
    const restore = () => {
      output.write(pasteMarksOff)
      input.setRawMode(false)
    }
    process.once('exit', restore)
    input.setRawMode(true)
    input.on('data', hear).on('end', giveUp).on('error', giveUp)
    output.write(`${pasteMarksOn}${prompt}`)
  })
}

/** Bracketed paste (xterm, "Private Modes" 2004): with it a line break inside a paste does not end the line. */
const [pasteMarksOn, pasteMarksOff] = ['\u001b[?2004h', '\u001b[?2004l']
const [pasteBegins, pasteEnds] = ['\u001b[200~', '\u001b[201~']

export interface HiddenLineReader {
  /** What the line is as soon as it ended; undefined until then. */
  feed(text: string): HiddenLine | undefined
}

/** The keys of a terminal in raw mode, in whatever pieces they come. What is beyond `charactersMax` is not kept. */
export function createHiddenLine(charactersMax: number): HiddenLineReader {
  let line = ''
  let pasted: string | null = null
  let pending = ''
  /** Of one key; undefined while the line goes on. */
  const take = (key: string): HiddenLine | undefined => {
    if (key === pasteBegins) pasted = ''
    else if (key === pasteEnds) {
      const isWhole = /[\r\n]\s*$/.test(pasted ?? '')
      pasted = null
      if (isWhole && line.trim() !== '') return line
    } else if (pasted !== null) {
      pasted = `${pasted}${key}`.slice(-2)
      add(key)
    } else if (key === '\r' || key === '\n') return line
    else if (key === '\u0003' || (key === '\u0004' && line === '')) return null
    else if (key === '\u007f' || key === '\b') line = line.slice(0, -1)
    else if (key === '\u0015') line = ''
    else add(key)
    return undefined
  }
  const add = (key: string) => {
    // Line breaks inside a paste, and what other keys send.
    if (key.length === 1 && key >= ' ' && line.length <= charactersMax) line += key
  }
  return {
    feed: text => {
      pending += text
      for (let key = nextKey(pending); key !== null; key = nextKey(pending)) {
        pending = pending.slice(key.length)
        const ended = take(key)
        if (ended !== undefined) return ended
      }
      return undefined
    },
  }
}

/** An escape sequence (ECMA-48 section 5.4) is one key. Null while it is not whole. */
function nextKey(text: string): string | null {
  if (text === '') return null
  if (!text.startsWith('\u001b')) return text.slice(0, 1)
  const sequence = sequencePattern.exec(text)?.[0]
  if (sequence !== undefined) return sequence
  return text.length < sequenceCharactersMax ? null : '\u001b'
}

/** Longer than any a terminal sends: what has no end by then began with a lone Esc. */
const sequenceCharactersMax = 16
// biome-ignore lint/suspicious/noControlCharactersInRegex: Esc begins a sequence
const sequencePattern = /^\u001b(?:\[[0-?]{0,8}[ -/]{0,4}[@-~]|O.|[^[O\u0000-\u001f]|(?=[\u0000-\u001f]))/s
