/** One thing a scenario measured, against what was promised. */
export interface Figure {
  readonly what: string
  /** How long it took; null when nothing was timed. */
  readonly seconds: number | null
  readonly boundSeconds: number | null
  /** Packets lost; null when none were counted. */
  readonly lost: number | null
  /** Null: as many as the healing takes. */
  readonly lostMax: number | null
}

/**
 * What a shared machine gets of a promised time: three times as much, at least 3.9 s on top and never more than 10 s. So
 * 1 s becomes less than the 5 s after which WireGuard tries a lost handshake again: that is always found.
 */
export function allowedSeconds(boundSeconds: number): number {
  return boundSeconds + Math.min(Math.max(2 * boundSeconds, 3.9), 10)
}

export function holds({ seconds, boundSeconds, lost, lostMax }: Figure): boolean {
  const inTime = seconds === null || boundSeconds === null || seconds <= allowedSeconds(boundSeconds)
  return inTime && (lost === null || lostMax === null || lost <= lostMax)
}

export function describe(figure: Figure): string {
  const { what, seconds, lost } = figure
  const took = seconds === null ? '' : ` ${secondsText(seconds)}`
  const missing = lost === null ? '' : `, ${lost} lost`
  return `${what}:${took}${missing} (${boundText(figure)})${holds(figure) ? '' : '  <-- NOT OK'}`
}

export interface Row {
  readonly scenario: string
  readonly figures: readonly Figure[]
  readonly error: string | null
  /** Failed, and was played again: another row says how that ended. */
  readonly isRepeated: boolean
}

export function passed({ figures, error }: Row): boolean {
  return error === null && figures.length > 0 && figures.every(holds)
}

/** Scenario, what, healing, lost, bound, ok: a line a figure. */
export function table(rows: readonly Row[]): string {
  const head = ['scenario', 'what', 'healing', 'lost', 'bound (allowed)', 'ok']
  const lines = rows.flatMap(row => [
    ...row.figures.map(figure => [
      row.scenario,
      figure.what,
      figure.seconds === null ? '-' : secondsText(figure.seconds),
      figure.lost === null ? '-' : String(figure.lost),
      boundText(figure),
      holds(figure) ? 'ok' : failing(row),
    ]),
    ...(row.error === null
      ? []
      : [[row.scenario, row.error.split('\n')[0] ?? '', '-', '-', '-', failing(row)]]),
  ])
  const widths = head.map((_, column) =>
    Math.max(...[head, ...lines].map(cells => cells[column]?.length ?? 0)),
  )
  return [head, ...lines]
    .map(cells =>
      cells
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

function failing({ isRepeated }: Row): string {
  return isRepeated ? 'played again' : 'FAILED'
}

function boundText({ boundSeconds, lostMax }: Figure): string {
  const time = boundSeconds === null ? [] : [`${boundSeconds} s (${allowedSeconds(boundSeconds)} s)`]
  const packets = lostMax === null ? [] : [`${lostMax} lost`]
  return [...time, ...packets].join(', ')
}

function secondsText(seconds: number): string {
  return Number.isFinite(seconds) ? `${seconds.toFixed(2)} s` : 'never'
}
