import { addressOf, compareText } from '../model/address.ts'
import type { Announcement } from '../model/announcement.ts'
import type { HostEntry } from '../model/hosts.ts'
import { hostEntriesMax } from '../model/limits.ts'
import type { NodeName } from '../model/node.ts'
import type { Vni } from '../model/segment.ts'
import { type Holds, holdsOf, overlayKey, ownerOf } from './claims.ts'

/**
 * Where each name leads: the overlay addresses its member owns in these segments. Of members with one name the first
 * to have claimed an address has it, then the lower id. Sorted by name, the same on every node.
 */
export function hostEntries(
  announcements: readonly Announcement[],
  vnis: ReadonlySet<Vni>,
): readonly HostEntry[] {
  const present = announcements.filter(({ left }) => !left)
  const holds = holdsOf(present)
  const bearers = new Map<NodeName, Announcement>()
  for (const announcement of present) {
    const before = bearers.get(announcement.name)
    if (before === undefined || compareBearers(announcement, before) < 0)
      bearers.set(announcement.name, announcement)
  }
  return [...bearers.values()]
    .sort((a, b) => compareText(a.name, b.name))
    .flatMap(announcement => entriesOf(announcement, vnis, holds))
    .slice(0, hostEntriesMax)
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

function compareBearers(a: Announcement, b: Announcement): number {
  return claimedSince(a) - claimedSince(b) || compareText(a.node, b.node)
}

/** Derived addresses are nobody's claim: they are of no time. */
function claimedSince({ segments }: Announcement): number {
  const times = segments.flatMap(({ addresses }) => addresses.map(({ since }) => since))
  return Math.min(...times.filter(since => since > 0))
}
