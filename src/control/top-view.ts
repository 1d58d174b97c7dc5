import type { PeersView } from './protocol.ts'
import { type RateRow, sumOfRates } from './rates.ts'
import { age, type Cell, endpointText, layOut, overlayText, stateColours } from './table.ts'
import { byteSize, type Paint, plural } from './text.ts'

/** What a table may fill. */
export interface Frame {
  readonly columns: number
  readonly rows: number
}

/**
 * The members with their traffic, a line each under two lines for all of them; in a frame what does not fit is left
 * out, and counted. Ends with a newline. `remark`: why this is not of now, or null.
 */
export function topText(
  view: PeersView,
  rows: readonly RateRow[],
  remark: string | null,
  frame: Frame | null,
  paint: Paint,
): string {
  const above = [[{ text: headLine(view, rows) }], [{ text: remark ?? '', colour: 'red' as const }]]
  const room = frame === null ? rows.length : Math.max(0, frame.rows - above.length - 2)
  // The last line is only needed where it has something to say.
  const isWhole = rows.length <= room + 1
  const shown = isWhole ? rows : rows.slice(0, room)
  const rest = isWhole ? [] : [[{ text: `and ${rows.length - shown.length} more`, colour: 'dim' as const }]]
  const columns = frame?.columns ?? null
  return [above, [headerCells, ...shown.map(cells)], rest].map(part => layOut(part, paint, columns)).join('')
}

function headLine({ self, peers }: PeersView, rows: readonly RateRow[]): string {
  const up = peers.filter(({ state }) => state === 'up').length
  const { rx, tx } = sumOfRates(rows)
  const name = self === null ? '' : `${self.name}: `
  return `${name}${plural(peers.length, 'other')}, ${up} up, receiving ${perSecond(rx)}, sending ${perSecond(tx)}`
}

/** So that columns stand still while rates change. */
const rateWidth = '1023.99 MiB'.length

/** What matters most stands left: a narrow terminal cuts off at the right. */
const headerCells: readonly Cell[] = [
  { text: 'NAME' },
  { text: 'STATE' },
  { text: 'RX/s', align: 'right' as const },
  { text: 'TX/s', align: 'right' as const },
  { text: 'HANDSHAKE', align: 'right' as const },
  ...['GOSSIP', 'OVERLAY', 'ENDPOINT', 'VTEP'].map(text => ({ text })),
].map(cell => ({ ...cell, colour: 'dim' as const }))

function cells(row: RateRow): readonly Cell[] {
  return [
    { text: row.name },
    { text: row.state, colour: stateColours[row.state] },
    { text: perSecond(row.rx_bytes_per_second).padStart(rateWidth), align: 'right' },
    { text: perSecond(row.tx_bytes_per_second).padStart(rateWidth), align: 'right' },
    { text: row.handshake_seconds === null ? 'never' : age(row.handshake_seconds), align: 'right' },
    { text: row.static_by === undefined ? row.gossip : 'static' },
    { text: overlayText(row) },
    { text: endpointText(row) },
    { text: row.vtep },
  ]
}

function perSecond(rate: number | null): string {
  return rate === null ? '-' : byteSize(rate)
}
