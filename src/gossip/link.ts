import type { Connection } from '@libp2p/interface'
import type { SyncLink } from '../mesh/sync-turns.ts'
import type { NodeId } from '../model/node.ts'
import type { Channel } from './channel.ts'
import type { Unsettled } from './exchange.ts'

/** What syncing knows of one connection. Times are monotonic milliseconds. */
export interface Link extends SyncLink {
  readonly connection: Connection
  readonly node: NodeId
  readonly memory: Unsettled
  channel: Channel | null
  heardAt: number
  asking: boolean
  /** Something new came up while asking. */
  askAgain: boolean
}

export function newLink(connection: Connection, now: number): Link {
  return {
    connection,
    direction: connection.direction,
    node: connection.remotePeer.toString() as NodeId,
    memory: { pair: null },
    heardAt: now,
    channel: null,
    asking: false,
    askAgain: false,
  }
}
