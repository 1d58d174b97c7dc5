import type { OwnClaims } from '../model/claims.ts'
import type { Configuration } from '../model/configuration.ts'
import type { Member, Membership } from '../model/member.ts'
import type { NodeId } from '../model/node.ts'
import type { WireguardPublicKey } from '../model/wireguard-key.ts'
import { type Holds, ownHolds, pinnedOwners } from './claims.ts'
import { type Evidence, evidenceOf } from './evidence.ts'
import { type Judgement, judgementOf } from './judgement.ts'
import { bearersOfNames, type NameSource, nameHolding } from './names.ts'
import type { Proofs } from './proof.ts'
import { type Holding, keepMet, keepTenures, type Records } from './records.ts'
import { actingMembers } from './static-members.ts'
import type { Tracks } from './tracks.ts'

/** What this node saw of the others until now. */
export interface Seen {
  readonly configuration: Configuration
  readonly node: NodeId
  readonly publicKey: WireguardPublicKey
  readonly membership: Membership
  readonly tracks: Tracks
  readonly proofs: Proofs
  /** Who did not answer gossip when asked, and when. */
  readonly unanswered: ReadonlyMap<NodeId, number>
  readonly records: Records
  readonly warm: boolean
  /** Monotonic milliseconds. */
  readonly now: number
  readonly wallSeconds: number
}

export interface Assessment {
  /** Those whose word on their keys stands, in the order of their ids. */
  readonly members: readonly Member[]
  readonly evidence: Evidence
  readonly judgement: Judgement
}

/** Who counts, and how much. */
export function assess(seen: Seen): Assessment {
  const { configuration, membership, publicKey, records } = seen
  const { heartbeatSeconds } = configuration.gossip
  const evidence = evidenceOf({ ...seen, heartbeatSeconds, members: membership.size })
  return {
    members: actingMembers(membership, publicKey, records.keys),
    evidence,
    judgement: judgementOf({ ...seen, self: seen.node, evidence }),
  }
}

/** The records after a decision: who held what when it was made. */
export function keepRecords(
  { configuration, node, membership, records, warm, now }: Seen,
  { members, judgement }: Assessment,
  claims: OwnClaims,
  holds: Holds,
): Records {
  const own = ownHolds(node, claims).map(
    (source): NameSource => ({ ...source, name: configuration.name, left: false }),
  )
  const named = [...own, ...members.map(({ announcement }) => announcement)]
  const owners = new Map<Holding, NodeId>(pinnedOwners(holds))
  for (const [name, bearer] of bearersOfNames(named, judgement)) owners.set(nameHolding(name), bearer.node)
  return {
    keys: records.keys,
    // Who gave way to another with its identity knows nobody for a while.
    tenures: keepTenures(records.tenures, owners, warm && membership.size > 0, now),
    met: keepMet(records.met, membership, now),
  }
}
