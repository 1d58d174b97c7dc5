import { encodeAnnouncement } from '../mesh/codec.ts'
import { dueDeclarations, farewell } from '../mesh/static-members.ts'
import type { Announcement } from '../model/announcement.ts'
import type { DaemonParts } from './parts.ts'
import type { State } from './state.ts'

/** Speaks for the static members of the configuration. They are members like others, here as well. */
export interface Declarer {
  /** Says what is new of them, and takes those back that are configured no more. */
  update(): Promise<void>
  /** Takes all of them back. */
  farewell(): Promise<void>
}

export function createDeclarer(parts: DaemonParts, state: State, changed: () => void): Declarer {
  const { clock, mesh, node } = parts

  async function update(): Promise<void> {
    const declarer = {
      node,
      mesh,
      incarnation: state.sequence.incarnation,
      wallSeconds: clock.wallSeconds(),
      now: clock.now(),
    }
    await speak(dueDeclarations(state.configuration.staticMembers, state.membership, declarer))
  }

  async function speak(announcements: readonly Announcement[]): Promise<void> {
    const { gossip } = state
    if (gossip === null || announcements.length === 0) return
    for (const announcement of announcements) {
      const envelope = await gossip.seal(encodeAnnouncement(announcement))
      const heardAt = clock.now()
      state.membership = new Map([
        ...state.membership,
        [announcement.node, { announcement, envelope, heardAt }],
      ])
      await gossip.publish(envelope)
    }
    changed()
  }

  return {
    update,
    async farewell() {
      const ours = [...state.membership.values()].filter(
        ({ announcement: { declaredBy, left } }) => declaredBy === node && !left,
      )
      await speak(ours.map(({ announcement }) => farewell(announcement, state.sequence)))
    },
  }
}
