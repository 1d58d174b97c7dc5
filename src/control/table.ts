import type { PeerRow, PeerState, PeersView } from './protocol.ts'
import { byteSize, type Colour, duration, type Paint, printable } from './text.ts'

export const stateColours: Readonly<Record<PeerState, Colour>> = {
  up: 'green',
  unknown: 'yellow',
  down: 'red',
  left: 'dim',
}

export interface Cell {
  readonly text: string
  readonly colour?: Colour
  readonly align?: 'right'
}

/** `lnetctl peers` for people: this node first, then one line a member. Nothing is cut off. */
export function peersTable({ self, peers }: PeersView, header: boolean, paint: Paint): string {
  const rows = [...(self === null ? [] : [peerCells(self, true)]), ...peers.map(row => peerCells(row, false))]
  return layOut([...(header ? [headerCells] : []), ...rows], paint)
}

/**
 * Columns as wide as their widest cell, two spaces apart, no trailing blanks. Ends with a newline. `columns`: what is
 * right of them is cut off; null: nothing is.
 */
export function layOut(
  rows: readonly (readonly Cell[])[],
  paint: Paint,
  columns: number | null = null,
): string {
  const safe = rows.map(row => row.map(cell => ({ ...cell, text: printable(cell.text) })))
  const widths = safe.reduce<number[]>((known, row) => {
    row.forEach(({ text }, column) => {
      known[column] = Math.max(known[column] ?? 0, text.length)
    })
    return known
  }, [])
  const starts = widths.map((_, column) =>
    widths.slice(0, column).reduce((start, width) => start + width + 2, 0),
  )
  const within = (cell: Cell, column: number) => {
    const room = (columns ?? Number.POSITIVE_INFINITY) - (starts[column] as number)
    return pad(cell, widths[column] as number, Math.max(0, room), paint)
  }
  const lines = safe.map(row => row.map(within).join('  '))
  return lines.map(line => `${line.trimEnd()}\n`).join('')
}

/** The first address of each segment, without its prefix length. */
export function overlayText({ segments }: PeerRow): string {
  const first = segments.flatMap(({ addresses }) => addresses.slice(0, 1).map(bare))
  return first.length === 0 ? '-' : first.join(',')
}

export function endpointText({ endpoint, endpoint_kind: kind }: PeerRow): string {
  return endpoint === null ? '-' : `${endpoint} (${kind})`
}

/** Not by model/address: its parser is half of what lnetctl would load. */
function bare(address: string): string {
  return address.slice(0, address.indexOf('/'))
}

const headerCells: readonly Cell[] = [
  ...['NAME', 'STATE', 'OVERLAY', 'VTEP', 'ENDPOINT'].map(text => ({ text })),
  ...['HANDSHAKE', 'RX', 'TX', 'MTU', 'SEEN'].map(text => ({ text, align: 'right' as const })),
  ...['VERSION', 'REASON'].map(text => ({ text })),
].map(cell => ({ ...cell, colour: 'dim' as const }))

function peerCells(row: PeerRow, isSelf: boolean): readonly Cell[] {
  const right = (text: string): Cell => ({ text, align: 'right' })
  const handshake = row.handshake_seconds === null ? 'never' : age(row.handshake_seconds)
  return [
    { text: row.name },
    { text: row.state, colour: stateColours[row.state] },
    { text: overlayText(row) },
    { text: row.vtep },
    { text: endpointText(row) },
    right(isSelf ? '-' : handshake),
    right(byteSize(row.rx_bytes)),
    right(byteSize(row.tx_bytes)),
    right(String(row.mtu)),
    right(isSelf ? '-' : age(row.seen_seconds)),
    { text: row.static_by === undefined ? row.version : `static (by ${row.static_by})` },
    { text: row.reason ?? (isSelf ? 'this node' : '') },
  ]
}

/** Without the blank, so that a column stays a word for awk. */
export function age(seconds: number): string {
  return duration(seconds).replace(' ', '')
}

/** Padding stands outside the colour, so that trailing blanks can be trimmed. Nothing stands right of the room. */
function pad({ text, colour, align }: Cell, width: number, room: number, paint: Paint): string {
  const blanks = ' '.repeat(width - text.length)
  const [left, right] = align === 'right' ? [blanks.slice(0, room), ''] : ['', blanks]
  const cut = text.slice(0, room - left.length)
  return left + (colour === undefined || cut === '' ? cut : paint(colour, cut)) + right
}
