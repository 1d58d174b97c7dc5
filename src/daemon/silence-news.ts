import { tunnelLiveness } from '../mesh/liveness.ts'
import { standingOf } from '../mesh/membership.ts'
import type { Member } from '../model/member.ts'
import type { NodeId } from '../model/node.ts'
import { createAbsenceWatch } from './absence-watch.ts'
import type { DaemonParts } from './parts.ts'
import type { State } from './state.ts'

/** A split of a large mesh silences many at once: one line for each of the first, the rest follow at the next ticks. */
const silenceLinesPerTickMax = 16

/** Reports members whose lnetd does not answer while their tunnels carry traffic, and those that are back. */
export function createSilenceNews(parts: Pick<DaemonParts, 'clock' | 'kernel' | 'log'>, state: State) {
  const { clock, log } = parts
  const watchAbsence = createAbsenceWatch(parts, state)
  const silent = new Set<NodeId>()

  /** The tunnels of the others have news of their own. */
  function isSilent(member: Member, now: number): boolean {
    const { node, declaredBy } = member.announcement
    if (declaredBy !== null || !carries(member, now)) return false
    return state.absent.has(node) || standingOf(member, now) === 'silent'
  }

  function carries({ announcement }: Member, now: number): boolean {
    const track = state.tracks.get(announcement.publicKey)
    return track !== undefined && tunnelLiveness(track, now) === 'up'
  }

  return {
    tell(): void {
      watchAbsence()
      const now = clock.now()
      let lines = 0
      for (const member of state.membership.values()) {
        const { node, name } = member.announcement
        const before = silent.has(node)
        if (lines >= silenceLinesPerTickMax || before === isSilent(member, now)) continue
        if (before && (standingOf(member, now) !== 'live' || !carries(member, now))) {
          silent.delete(node)
          continue
        }
        lines += 1
        if (before) silent.delete(node)
        else silent.add(node)
        if (before) log.info('member.answers', { member: node, name })
        else log.warn('member.silent', { member: node, name })
      }
      for (const node of silent) if (!state.membership.has(node)) silent.delete(node)
    },
  }
}
