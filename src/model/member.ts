import type { Announcement, Envelope } from './announcement.ts'
import type { NodeId } from './node.ts'

/** A node as believed here. */
export interface Member {
  readonly announcement: Announcement
  readonly envelope: Envelope
  /**
   * When its own sequence last advanced, on this daemon's monotonic clock, milliseconds. Another's copy of it
   * arrives with its age, never as news (DESIGN law 10).
   */
  readonly heardAt: number
  /**
   * Since when it is known by copies alone: nobody signs an age, and an old announcement can be said again. Absent once
   * its sequence advanced here, it answered itself, or its tunnel did.
   */
  readonly unconfirmedSince?: number
}

/** Everyone this node believes in, itself excepted. A value: admitting gives another one. */
export type Membership = ReadonlyMap<NodeId, Member>

export const standings = ['live', 'silent', 'left'] as const
export type Standing = (typeof standings)[number]
