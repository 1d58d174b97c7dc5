import type { Membership } from '../model/member.ts'
import type { NodeId } from '../model/node.ts'

/** How many machines each node declares: so nobody fills the membership with machines that are not there. */
export class DeclarationCount {
  readonly #membership: Membership
  /** Counted only when somebody new is declared. */
  #counts: Map<NodeId, number> | null = null

  constructor(membership: Membership) {
    this.#membership = membership
  }

  of(declarer: NodeId | null): number {
    return declarer === null ? 0 : (this.#counted().get(declarer) ?? 0)
  }

  add(declarer: NodeId | null): void {
    if (declarer !== null) this.#counted().set(declarer, this.of(declarer) + 1)
  }

  #counted(): Map<NodeId, number> {
    if (this.#counts !== null) return this.#counts
    const counts = new Map<NodeId, number>()
    for (const { announcement } of this.#membership.values()) {
      const { declaredBy } = announcement
      if (declaredBy !== null) counts.set(declaredBy, (counts.get(declaredBy) ?? 0) + 1)
    }
    this.#counts = counts
    return counts
  }
}
