import { falseHolds, holdsOf, ownHolds } from '../mesh/claims.ts'
import { accusedShownMax } from '../model/limits.ts'
import type { NodeId } from '../model/node.ts'
import { noticed, type Problem } from '../model/problem.ts'
import type { DaemonParts } from './parts.ts'
import { assessmentNow } from './situation.ts'
import type { State } from './state.ts'

/** Members that do what no lnetd does, with the evidence. Nothing of this node suffers by it: a notice each. */
export function accusations(parts: DaemonParts, state: State): readonly Problem[] {
  const accused = new Map<NodeId, readonly string[]>(state.conduct.accused())
  for (const { address, node, owner } of falseClaims(parts, state))
    accused.set(node, [
      ...(accused.get(node) ?? []),
      `announces ${address}, which only ${nameOf(state, owner)} can have`,
    ])
  const found = [...accused].sort(([a], [b]) => (a < b ? -1 : 1))
  return found.slice(0, accusedShownMax).map(([node, evidence], index) => {
    const others =
      index === 0 && found.length > accusedShownMax
        ? `; ${found.length - accusedShownMax} more do such things`
        : ''
    const name = nameOf(state, node)
    return noticed('member-misbehaves', name, `${name} (${node}) does what no lnetd does`, {
      why: `it ${evidence.join(', ')}${others}`,
      remedy: 'check that machine; if it is not yours, replace the mesh secret on all others',
    })
  })
}

function falseClaims(parts: DaemonParts, state: State): ReturnType<typeof falseHolds> {
  const { members } = assessmentNow(parts, state)
  const holds = [...members.map(({ announcement }) => announcement), ...ownHolds(parts.node, state.claims)]
  return falseHolds(holdsOf(holds)).filter(({ node }) => node !== parts.node)
}

function nameOf({ membership, configuration, own }: State, node: NodeId): string {
  if (own?.announcement.node === node) return configuration.name
  return membership.get(node)?.announcement.name ?? node
}
