import { holdsOf, ownHolds } from '../mesh/claims.ts'
import { type Contested, contestedAddresses, contestedKeys, contestedNames } from '../mesh/contested.ts'
import { contestsShownMax } from '../model/limits.ts'
import type { NodeId } from '../model/node.ts'
import { noticed, type Problem } from '../model/problem.ts'
import type { DaemonParts } from './parts.ts'
import { assessmentNow } from './situation.ts'
import { everyone, type State } from './state.ts'

/** Addresses, names and keys that two claim, on all nodes: nothing happens by itself, so somebody has to know. */
export function contestProblems(parts: DaemonParts, state: State): readonly Problem[] {
  const { members, judgement } = assessmentNow(parts, state)
  const others = members.map(({ announcement }) => announcement)
  const own = state.own === null ? [] : [state.own.announcement]
  const holds = holdsOf([...others, ...ownHolds(parts.node, state.claims)], judgement)
  const contested = [
    ...contestedAddresses(holds).filter(({ rivals }) => !rivals.includes(parts.node)),
    ...contestedNames([...own, ...others], judgement),
    ...contestedKeys(state.membership, state.records.keys),
  ]
  return contested.slice(0, contestsShownMax).map(each => contestProblem(each, state))
}

function contestProblem({ kind, subject, holder, rivals }: Contested, state: State): Problem {
  const who = rivals.slice(0, 2).map(node => described(state, node))
  const more = rivals.length > 2 ? ` and ${rivals.length - 2} more` : ''
  const what = `${who.join(' and ')}${more} also ${verbs[kind]} ${subject}, which ${described(state, holder)} has`
  return noticed('claim-contested', subject, what, explanations[kind])
}

const verbs = { address: 'announces', name: 'is called', key: 'claims the WireGuard key' } as const
const explanations = {
  address: { why: 'the later claim is not obeyed', remedy: 'configure another address on one of them' },
  name: { why: 'the later one is not found by it', remedy: 'set another name on one of them' },
  key: {
    why: 'only one of them is obeyed',
    remedy: 'take the declaration in static_members back where the machine runs lnetd now',
  },
} as const

function described(state: State, node: NodeId): string {
  const name = everyone(state).find(({ announcement }) => announcement.node === node)?.announcement.name
  return name === undefined ? node : `${name} (${node})`
}
