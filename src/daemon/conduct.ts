import {
  afterExcess,
  afterRefusal,
  afterWord,
  type Conduct,
  evidence,
  isFlooding,
  saysTooMuch,
} from '../mesh/conduct.ts'
import type { RejectReason } from '../model/announcement.ts'
import { conductsMax } from '../model/limits.ts'
import type { NodeId, Sequence } from '../model/node.ts'

/** Remembers what nodes did; the ones that did nothing for longest are forgotten when there are too many. */
export interface ConductBook {
  spoke(node: NodeId, sequence: Sequence): void
  refused(node: NodeId, reason: RejectReason): void
  exceeded(node: NodeId, pieces: number): void
  isFlooding(node: NodeId): boolean
  saysTooMuch(node: NodeId): boolean
  /** Those that did what no lnetd does, with what that was. */
  accused(): ReadonlyMap<NodeId, readonly string[]>
}

export function createConductBook(now: () => number): ConductBook {
  const conducts = new Map<NodeId, Conduct>()
  const note = (node: NodeId, conduct: Conduct) => {
    conducts.delete(node)
    conducts.set(node, conduct)
    const [oldest] = conducts.keys()
    if (conducts.size > conductsMax && oldest !== undefined) conducts.delete(oldest)
  }
  return {
    spoke: (node, sequence) => note(node, afterWord(conducts.get(node), sequence, now())),
    refused: (node, reason) => note(node, afterRefusal(conducts.get(node), reason, now())),
    exceeded: (node, pieces) => note(node, afterExcess(conducts.get(node), pieces, now())),
    saysTooMuch(node) {
      const conduct = conducts.get(node)
      return conduct !== undefined && saysTooMuch(conduct, now())
    },
    isFlooding(node) {
      const conduct = conducts.get(node)
      return conduct !== undefined && isFlooding(conduct, now())
    },
    accused() {
      const found = [...conducts].map(([node, conduct]) => [node, evidence(conduct, now())] as const)
      return new Map(found.filter(([, parts]) => parts.length > 0))
    },
  }
}
