import type { NodeId, NodeName } from '../model/node.ts'
import type { PastEventKind } from '../model/past-event.ts'
import type { schema } from './protocol.ts'

export interface EventsView {
  readonly schema: typeof schema
  /** Oldest first; of `/v1/events?after=N` those with a higher number. */
  readonly events: readonly EventRow[]
}

export interface EventRow {
  readonly number: number
  /** RFC 3339, UTC. */
  readonly time: string
  readonly kind: PastEventKind
  /** The member it is about. */
  readonly name: NodeName | null
  readonly node: NodeId | null
  readonly text: string
}
