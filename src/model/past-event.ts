import type { NodeId, NodeName } from './node.ts'

/** What `lnetctl events` tells of: members that come and go, tunnels, the kernel, and the daemon itself. */
export const pastEventKinds = [
  'started',
  'stopped',
  'joined',
  'left',
  'silent',
  'answers',
  'forgotten',
  'up',
  'down',
  'roamed',
  'drift',
  'problem',
  'solved',
] as const
export type PastEventKind = (typeof pastEventKinds)[number]

/** Something that happened, kept over restarts. */
export interface PastEvent {
  /** Grows by one with each event, over restarts too. */
  readonly number: number
  /** Unix milliseconds of this machine's clock. */
  readonly at: number
  readonly kind: PastEventKind
  /** The member it is about, if any. */
  readonly node: NodeId | null
  readonly name: NodeName | null
  /** One sentence. */
  readonly text: string
}
