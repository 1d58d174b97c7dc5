import { claimAheadSecondsMax, claimSinceSecondsMin, unprovenClaimSecondsMax } from '../model/limits.ts'
import type { Membership } from '../model/member.ts'
import type { NodeId } from '../model/node.ts'
import type { Evidence } from './evidence.ts'
import { type Holding, isEstablished, isVtep, type Records } from './records.ts'

/** How much a claim counts here, best first. */
export const claimRanks = { holder: 0, live: 1, gone: 2, unproven: 3, none: 4 } as const
export type ClaimRank = (typeof claimRanks)[keyof typeof claimRanks]

/** What this node makes of claims, by what it saw itself. */
export interface Judgement {
  rankOf(node: NodeId, holding: Holding): ClaimRank
  /** When a claim was made, for what its author says of it: never, where no honest clock says so. */
  sinceOf(since: number): number
}

/** Takes everybody at their word. */
export const credulous: Judgement = { rankOf: () => claimRanks.live, sinceOf: since => since }

export interface Court {
  readonly self: NodeId
  readonly membership: Membership
  readonly records: Pick<Records, 'tenures' | 'met'>
  readonly evidence: Evidence
  /** The mesh was heard: who was not is not there. */
  readonly warm: boolean
  /** Monotonic milliseconds. */
  readonly now: number
  readonly wallSeconds: number
}

export function judgementOf(court: Court): Judgement {
  return {
    rankOf: (node, holding) => rankOf(court, node, holding),
    sinceOf: since => (isCredible(since, court.wallSeconds) ? since : Number.POSITIVE_INFINITY),
  }
}

/** Whether a clock that is right may have said so. */
export function isCredible(since: number, wallSeconds: number): boolean {
  return since >= claimSinceSecondsMin && since <= wallSeconds + claimAheadSecondsMax
}

function rankOf(court: Court, node: NodeId, holding: Holding): ClaimRank {
  const { self, membership, records, evidence, warm, now } = court
  const tenure = records.tenures.get(holding)
  const isHolder = tenure?.node === node && isEstablished(tenure, now)
  if (node === self) return isHolder ? claimRanks.holder : claimRanks.live
  const member = membership.get(node)
  if (member === undefined) return claimRanks.none
  // Where two hold one VTEP, nothing leads to the one that does not own it: it cannot shake hands.
  const isLive = evidence.isLive(member) || (isVtep(holding) && evidence.isThere(member))
  if (isHolder && (isLive || !warm)) return claimRanks.holder
  if (isLive) return claimRanks.live
  if (isHolder || evidence.isProven(member)) return claimRanks.gone
  const metAt = records.met.get(node) ?? now
  return now - metAt < unprovenClaimSecondsMax * 1000 ? claimRanks.unproven : claimRanks.none
}
