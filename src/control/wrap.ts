/** A terminal that does not know its width; what terminals had before they could be asked. */
export const columnsDefault = 80
/** Narrower than this, text is left to the terminal. */
const roomMin = 20

/** The width to wrap at; null where a program may read it: each thing stays on one line there. */
export function columnsOf(stream: { readonly isTTY?: boolean; readonly columns?: number }): number | null {
  if (stream.isTTY !== true) return null
  return stream.columns === undefined || stream.columns <= 0 ? columnsDefault : stream.columns
}

/** Broken at blanks so that each line has at most `room` characters; what has no blank stays whole. Null: one line. */
export function wrapped(text: string, room: number | null): readonly string[] {
  if (room === null || room < roomMin || text.length <= room) return [text]
  const lines: string[] = []
  for (const word of text.split(/ +/)) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= room)
      lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}

/** Lines below a heading: the first begins with the label, the others stand below its text. Each ends with a newline. */
export function hanging(label: string, text: string, columns: number | null): string {
  const lines = wrapped(text, columns === null ? null : columns - label.length)
  const indent = ' '.repeat(label.length)
  return lines.map((line, index) => `${index === 0 ? label : indent}${line}\n`).join('')
}

/** An error of a command: lines that are too long go on below, indented. */
export function wrappedLines(text: string, columns: number | null): string {
  const wrapOne = (line: string) => {
    const indent = `${/^ */.exec(line)?.[0] ?? ''}  `
    if (columns === null || line.length <= columns) return line
    const [first = '', ...rest] = wrapped(line.trimStart(), columns - indent.length)
    return [`${indent.slice(2)}${first}`, ...rest.map(each => `${indent}${each}`)].join('\n')
  }
  return text.split('\n').map(wrapOne).join('\n')
}
