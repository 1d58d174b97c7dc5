import { addressOf, compareText } from '../model/address.ts'
import type { Announcement } from '../model/announcement.ts'
import type { HostEntry } from '../model/hosts.ts'
import { hostEntriesMax } from '../model/limits.ts'
import type { NodeName } from '../model/node.ts'
import type { SegmentFacts, Vni } from '../model/segment.ts'
import { type Holds, holdsOf, overlayKey, ownerOf } from './claims.ts'
import { claimRanks, credulous, type Judgement } from './judgement.ts'
import type { Holding } from './records.ts'

/** As much of an announcement as claims a name. */
export type NameSource = Pick<Announcement, 'node' | 'name' | 'left'> & {
  readonly segments: readonly Pick<SegmentFacts, 'vni' | 'addresses'>[]
}

/**
 * Where each name leads: the overlay addresses its member owns in these segments. It is nobody's before a first
 * handshake. Sorted by name.
 */
export function hostEntries(
  announcements: readonly Announcement[],
  vnis: ReadonlySet<Vni>,
  judgement: Judgement = credulous,
): readonly HostEntry[] {
  const present = announcements.filter(({ left }) => !left)
  const holds = holdsOf(present, judgement)
  return [...bearersOfNames(present, judgement).values()]
    .filter(({ node, name }) => judgement.rankOf(node, nameHolding(name)) < claimRanks.unproven)
    .sort((a, b) => compareText(a.name, b.name))
    .flatMap(announcement => entriesOf(announcement, vnis, holds))
    .slice(0, hostEntriesMax)
}

/**
 * Whose each name is: its live holder's; else of those that live the first to have claimed an address, then the lower
 * id.
 */
export function bearersOfNames<Source extends NameSource>(
  announcements: Iterable<Source>,
  judgement: Judgement,
): ReadonlyMap<NodeName, Source> {
  const bearers = new Map<NodeName, Source>()
  for (const announcement of announcements) {
    if (announcement.left) continue
    const before = bearers.get(announcement.name)
    if (before === undefined || isBefore(announcement, before, judgement))
      bearers.set(announcement.name, announcement)
  }
  return bearers
}

export function nameHolding(name: NodeName): Holding {
  return `name ${name}`
}

function isBefore(a: NameSource, b: NameSource, judgement: Judgement): boolean {
  const holding = nameHolding(a.name)
  const [rankA, rankB] = [judgement.rankOf(a.node, holding), judgement.rankOf(b.node, holding)]
  if (rankA !== rankB) return rankA < rankB
  const [sinceA, sinceB] = [claimedSince(a, judgement), claimedSince(b, judgement)]
  return sinceA === sinceB ? a.node < b.node : sinceA < sinceB
}

function entriesOf(
  { node, name, segments }: Announcement,
  vnis: ReadonlySet<Vni>,
  holds: Holds,
): readonly HostEntry[] {
  return segments
    .filter(({ vni }) => vnis.has(vni))
    .flatMap(({ vni, addresses }) =>
      addresses
        .map(each => addressOf(each.address))
        .filter(address => ownerOf(address, holds.overlay.get(overlayKey(vni, address))) === node)
        .map(address => ({ address, name })),
    )
}

/** Derived addresses are nobody's claim: they are of no time. */
function claimedSince({ segments }: NameSource, { sinceOf }: Judgement): number {
  const times = segments.flatMap(({ addresses }) => addresses.map(({ since }) => since))
  return Math.min(...times.filter(since => since > 0).map(sinceOf))
}
