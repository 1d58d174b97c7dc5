import { isThere } from '../mesh/evidence.ts'
import type { Announcement } from '../model/announcement.ts'
import { failed, ok, type Result } from '../model/failure.ts'
import { forgottenMax } from '../model/limits.ts'
import { compareSequence, type NodeId, type NodeName } from '../model/node.ts'
import type { Journal } from './journal.ts'
import type { DaemonParts } from './parts.ts'
import type { State } from './state.ts'

/** Removes a dead member here, at the operator's word. It comes back when it says something new. */
export type Forget = (node: NodeId) => Promise<Result<{ readonly node: NodeId; readonly name: NodeName }>>

/** `changed`: the membership is another one. */
export function createForgetter(
  parts: DaemonParts,
  state: State,
  journal: Pick<Journal, 'saveState' | 'saveMembers'>,
  changed: () => void,
): Forget {
  return async node => {
    const member = state.membership.get(node)
    if (member === undefined) return failed(`no member has the id ${node}`, { remedy: 'see lnetctl peers' })
    const { name, sequence, declaredBy } = member.announcement
    const { tracks, unanswered, configuration, membership } = state
    const now = parts.clock.now()
    const { heartbeatSeconds } = configuration.gossip
    if (declaredBy === parts.node)
      return failed(`${name} is declared here`, {
        why: 'it would come back',
        remedy: 'remove it from static_members',
      })
    if (isThere(member, { tracks, unanswered, heartbeatSeconds, members: membership.size, now }))
      return failed(`${name} (${node}) lives`, {
        why: 'it would come back',
        remedy: 'end its lnetd first, by lnetctl leave there',
      })
    state.membership = without(membership, node)
    state.recalled = without(state.recalled, node)
    state.proofs = without(state.proofs, node)
    state.unanswered.delete(node)
    // The oldest gives way: an operator forgets a few.
    const memory = [...without(state.forgotten, node), [node, sequence] as const]
    state.forgotten = new Map(memory.slice(-forgottenMax))
    parts.log.info('member.forgotten', { member: node, name })
    changed()
    await Promise.all([journal.saveState(), journal.saveMembers()])
    return ok({ node, name })
  }
}

/** Taken out by the operator: others still tell of it, and only it says anything newer. */
export function isForgotten(state: State, { node, sequence }: Announcement): boolean {
  const last = state.forgotten.get(node)
  if (last === undefined) return false
  if (compareSequence(sequence, last) <= 0) return true
  state.forgotten = without(state.forgotten, node)
  return false
}

function without<Value>(map: ReadonlyMap<NodeId, Value>, node: NodeId): ReadonlyMap<NodeId, Value> {
  return new Map([...map].filter(([each]) => each !== node))
}
