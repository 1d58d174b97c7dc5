import { neighbourDegree, silentNeighboursWanted } from '../model/limits.ts'
import type { Membership } from '../model/member.ts'
import type { NodeId } from '../model/node.ts'
import { pairRank } from './derive.ts'
import { standingOf } from './membership.ts'

export interface NeighbourChoice {
  /** In order of preference. */
  readonly wanted: readonly NodeId[]
  /** Worth trying when too few of the wanted ones answer. */
  readonly spare: readonly NodeId[]
}

/**
 * Whom to dial. Half the degree by the rank of the pair, which spreads links evenly because everyone else chooses
 * too, and the next node on the circle of ids, which keeps the whole connected even where the ranks would not.
 * And a few that are silent: after a long split the other side is nothing but silent members.
 */
export function chooseNeighbours(self: NodeId, membership: Membership, now: number): NeighbourChoice {
  const nodes: NodeId[] = []
  const silent: NodeId[] = []
  for (const [node, member] of membership) {
    if (member.announcement.declaredBy !== null) continue
    const standing = standingOf(member, now)
    if (standing === 'live') nodes.push(node)
    if (standing === 'silent') silent.push(node)
  }
  const ranked = byRank(self, nodes)
  const next = successor(self, nodes)
  const first = ranked.slice(0, Math.ceil(neighbourDegree / 2))
  const living = next === null || first.includes(next) ? first : [...first, next]
  const rankedSilent = byRank(self, silent)
  const wanted = [...living, ...rankedSilent.slice(0, silentNeighboursWanted)]
  const rest = [...ranked, ...rankedSilent].filter(node => !wanted.includes(node))
  return { wanted, spare: rest }
}

function byRank(self: NodeId, nodes: readonly NodeId[]): readonly NodeId[] {
  return nodes
    .map(node => ({ node, rank: pairRank(self, node) }))
    .sort((a, b) => a.rank - b.rank || (a.node < b.node ? -1 : 1))
    .map(({ node }) => node)
}

function successor(self: NodeId, nodes: readonly NodeId[]): NodeId | null {
  let first: NodeId | null = null
  let next: NodeId | null = null
  for (const node of nodes) {
    if (first === null || node < first) first = node
    if (node > self && (next === null || node < next)) next = node
  }
  return next ?? first
}
