import type { NodeId } from './node.ts'

/** A member we hold a libp2p connection to. */
export interface Neighbour {
  readonly node: NodeId
  readonly address: string
  readonly direction: 'inbound' | 'outbound'
}

export interface DialReport {
  /** A bootstrap place as configured, or a node id. */
  readonly target: string
  readonly failures: number
  /** Milliseconds of the daemon's monotonic clock. */
  readonly lastTriedAt: number
  readonly error: string
  /** The TCP connection stood but the private network's handshake did not, repeatedly. */
  readonly secretMayDiffer: boolean
}

/** What came of looking for another machine with this node's own key: it speaks, its machine refuses, or nothing at all. */
export type TwinAnswer = 'speaks' | 'refusal' | 'silence'
