import type { StatusView } from './protocol.ts'
import type { Cell } from './table.ts'
import { type Paint, printable } from './text.ts'
import { hanging, wrapped } from './wrap.ts'

/** The longest label, `neighbours`, and the two blanks behind it. */
const labelWidth = 12

/** A value that is too long goes on in rows without a label. */
export function wrapRows(
  columns: number | null,
  rows: readonly (readonly Cell[])[],
): readonly (readonly Cell[])[] {
  return rows.flatMap(([label, value]) => {
    if (label === undefined || value === undefined) return []
    const lines = wrapped(value.text, columns === null ? null : columns - labelWidth)
    return lines.map((text, index) => [index === 0 ? label : { text: '' }, { ...value, text }])
  })
}

/** On a terminal its parts apart, what is to be done on one line; else, and of lnetd 0.1.0, one sentence. */
export function problemText(
  problem: StatusView['problems'][number],
  paint: Paint,
  columns: number | null,
): string {
  const { severity, message, what, why = null, remedy = null } = problem
  const head = `${severity}: `
  const said = printable(columns === null ? message : (what ?? message))
  const first = hanging(head, said, columns).slice(severity.length)
  const painted = `${paint(severity === 'degraded' ? 'red' : 'yellow', severity)}${first}`
  if (columns === null) return painted
  const reason = why === null ? '' : hanging('  why: ', printable(why), columns)
  return `${painted}${reason}${remedy === null ? '' : `  fix: ${printable(remedy)}\n`}`
}
