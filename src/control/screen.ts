import type { ReadStream, WriteStream } from 'node:tty'
import type { Frame } from './top-view.ts'

/** A whole terminal, taken for as long as it is drawn on. What was on it before is there again afterwards, however it ends. */
export interface Screen {
  readonly frame: Frame
  draw(text: string): void
  /** Aborted when whoever looks has had enough: q, Esc or Ctrl-C. */
  readonly left: AbortSignal
  /** Calls back when the frame has changed. */
  onResize(redraw: () => void): void
  close(): void
}

/** The terminal's alternate screen without a cursor, and back (xterm, "Private Modes" 1049 and 25). */
const enter = '\u001b[?1049h\u001b[?25l'
const leave = '\u001b[?25h\u001b[?1049l'
const enough = new Set(['q', 'Q', '\u0003', '\u001b'])

export function openScreen(input: ReadStream, output: WriteStream): Screen {
  let isOpen = true
  const left = new AbortController()
  const close = () => {
    if (!isOpen) return
    isOpen = false
    output.write(leave)
    if (input.isTTY) input.setRawMode(false)
    input.pause()
  }
  input.on('data', key => {
    if (!enough.has(String(key))) return
    close()
    left.abort()
  })
  // Without the keyboard Ctrl-C is a signal; the terminal may also go away, or somebody end this from elsewhere.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => {
      close()
      process.kill(process.pid, signal)
    })
  process.once('exit', close)
  if (input.isTTY) input.setRawMode(true)
  output.write(enter)
  return {
    get frame() {
      return { columns: output.columns, rows: output.rows }
    },
    draw: text => {
      if (isOpen) output.write(drawing(text))
    },
    left: left.signal,
    onResize: redraw => void output.on('resize', redraw),
    close,
  }
}

/** From the upper left corner over what is there, so that nothing flickers; no line feed behind the last line: it would scroll. */
function drawing(text: string): string {
  return `\u001b[H${text.trimEnd().replaceAll('\n', '\u001b[K\r\n')}\u001b[K\u001b[J`
}
