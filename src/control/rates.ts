import { compareText } from '../model/address.ts'
import type { PeerRow, PeersView } from './protocol.ts'

/** The members at one moment. `at`: milliseconds of a clock that only goes forward. */
export interface Look {
  readonly at: number
  readonly view: PeersView
}

/** Bytes a second; null where two looks do not tell. */
export interface RateRow extends PeerRow {
  readonly rx_bytes_per_second: number | null
  readonly tx_bytes_per_second: number | null
}

/** What WireGuard carried for each member between two looks, the busiest first. Without a look before, no rate is known. */
export function ratesBetween(before: Look | null, after: Look): readonly RateRow[] {
  const known = new Map(before?.view.peers.map(row => [row.node, row]))
  const seconds = before === null ? 0 : (after.at - before.at) / 1000
  return after.view.peers
    .map(row => rateRow(known.get(row.node), row, seconds))
    .sort((a, b) => traffic(b) - traffic(a) || compareText(a.name, b.name) || compareText(a.node, b.node))
}

/** Of all members together. */
export function sumOfRates(rows: readonly RateRow[]): {
  readonly rx: number | null
  readonly tx: number | null
} {
  return {
    rx: sum(rows.map(row => row.rx_bytes_per_second)),
    tx: sum(rows.map(row => row.tx_bytes_per_second)),
  }
}

function rateRow(before: PeerRow | undefined, row: PeerRow, seconds: number): RateRow {
  const isSame = before?.public_key === row.public_key && seconds > 0
  const rate = (was: number, is: number) => Math.round((is < was ? is : is - was) / seconds)
  return {
    ...row,
    // A counter that fell is that of a peer that was made anew, from 0.
    rx_bytes_per_second: isSame ? rate(before.rx_bytes, row.rx_bytes) : null,
    tx_bytes_per_second: isSame ? rate(before.tx_bytes, row.tx_bytes) : null,
  }
}

function traffic({ rx_bytes_per_second: rx, tx_bytes_per_second: tx }: RateRow): number {
  return rx === null || tx === null ? -1 : rx + tx
}

function sum(rates: readonly (number | null)[]): number | null {
  const known = rates.filter(rate => rate !== null)
  return known.length === 0 ? null : known.reduce((total, rate) => total + rate, 0)
}
