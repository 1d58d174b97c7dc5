import type { NodeId } from './node.ts'

/** A member we hold a libp2p connection to. */
export interface Neighbour {
  readonly node: NodeId
  readonly address: string
  readonly direction: 'inbound' | 'outbound'
}

export interface DialReport {
  /** A bootstrap place as configured, or a node id; `from ADDRESS` where that one dialled this node. */
  readonly target: string
  readonly direction: 'inbound' | 'outbound'
  readonly failures: number
  /** Milliseconds of the daemon's monotonic clock. */
  readonly lastTriedAt: number
  readonly error: string
  /** The last time the TCP connection stood, and the handshake that follows did not. */
  readonly answers: boolean
  /** The same several times in a row, and never otherwise. */
  readonly secretMayDiffer: boolean
}

/** What came of looking for another machine with this node's own key: it speaks, its machine refuses, or nothing at all. */
export type TwinAnswer = 'speaks' | 'refusal' | 'silence'
