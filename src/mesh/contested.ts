import type { Announcement } from '../model/announcement.ts'
import type { Membership } from '../model/member.ts'
import type { NodeId } from '../model/node.ts'
import { addressOfKey, type Hold, type Holds, ownerOf, vtepHolding } from './claims.ts'
import { claimRanks, type Judgement } from './judgement.ts'
import type { KeyTenures } from './key-claims.ts'
import { bearersOfNames, nameHolding } from './names.ts'

/** What two claim: who is obeyed, and who is not. */
export interface Contested {
  readonly kind: 'address' | 'name' | 'key'
  /** The address, name or key. */
  readonly subject: string
  readonly holder: NodeId
  /** Sorted. */
  readonly rivals: readonly NodeId[]
}

/** Pinned addresses that more than one pinned, sorted by address. */
export function contestedAddresses({ vteps, overlay }: Holds): readonly Contested[] {
  const all = [
    ...Array.from(vteps, ([address, holds]) => ({ key: vtepHolding(address), holds })),
    ...Array.from(overlay, ([key, holds]) => ({ key, holds })),
  ]
  return all
    .filter(({ holds }) => holds.length > 1)
    .flatMap(({ key, holds }) => {
      const subject = addressOfKey(key)
      const holder = ownerOf(subject, holds)
      const rivals = holds.filter(hold => hold.node !== holder && isPresent(hold)).map(({ node }) => node)
      if (holder === null || rivals.length === 0) return []
      return [{ kind: 'address', subject, holder, rivals: rivals.sort() } satisfies Contested]
    })
}

/** Names that more than one bears. One that is gone for good contests nothing. */
export function contestedNames(
  announcements: readonly Announcement[],
  judgement: Judgement,
): readonly Contested[] {
  const bearers = bearersOfNames(announcements, judgement)
  const rivals = new Map<string, NodeId[]>()
  for (const { node, name, left } of announcements) {
    if (left || bearers.get(name)?.node === node) continue
    const rank = judgement.rankOf(node, nameHolding(name))
    if (rank === claimRanks.gone || rank === claimRanks.none) continue
    rivals.set(name, [...(rivals.get(name) ?? []), node])
  }
  return [...bearers].flatMap(([subject, { node: holder }]) => {
    const found = rivals.get(subject)
    return found === undefined
      ? []
      : [{ kind: 'name', subject, holder, rivals: found.sort() } satisfies Contested]
  })
}

/** Keys of declared machines that another claims, too. */
export function contestedKeys(membership: Membership, keys: KeyTenures): readonly Contested[] {
  const rivals = new Map<string, NodeId[]>()
  for (const { announcement } of membership.values()) {
    const { node, publicKey, left } = announcement
    const tenure = keys.get(publicKey)
    if (left || tenure === undefined || tenure.node === node) continue
    rivals.set(publicKey, [...(rivals.get(publicKey) ?? []), node])
  }
  return [...keys].flatMap(([subject, { node: holder }]) => {
    const found = rivals.get(subject)
    return found === undefined
      ? []
      : [{ kind: 'key', subject, holder, rivals: found.sort() } satisfies Contested]
  })
}

function isPresent({ pinned, rank }: Hold): boolean {
  return pinned && rank !== claimRanks.gone && rank !== claimRanks.none
}
