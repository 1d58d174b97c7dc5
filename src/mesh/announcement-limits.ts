import { addressOf, compareAddresses } from '../model/address.ts'
import type { Announcement } from '../model/announcement.ts'
import {
  endpointsPerMemberMax,
  gossipAddressCharactersMax,
  gossipAddressesPerMemberMax,
  heartbeatSecondsMax,
  heartbeatSecondsMin,
  mtuBytesMax,
  mtuBytesMin,
  overlayAddressesPerSegmentMax,
  segmentsPerMemberMax,
  softwareCharactersMax,
} from '../model/limits.ts'
import type { SegmentFacts } from '../model/segment.ts'
import { isPrintable } from './cbor.ts'

/** Whether every list, number and text of an announcement keeps within its bound, and lists are in order. */
export function withinLimits(announcement: Announcement): boolean {
  const { endpoints, gossip, segments, mtu, heartbeatSeconds, software } = announcement
  return (
    endpoints.length <= endpointsPerMemberMax &&
    gossip.length <= gossipAddressesPerMemberMax &&
    gossip.every(address => address.length <= gossipAddressCharactersMax && isPrintable(address)) &&
    segments.length <= segmentsPerMemberMax &&
    isStrictlySorted(segments, (a, b) => a.vni - b.vni) &&
    segments.every(segment => isSegmentWithinLimits(segment)) &&
    mtu >= mtuBytesMin &&
    mtu <= mtuBytesMax &&
    heartbeatSeconds >= heartbeatSecondsMin &&
    heartbeatSeconds <= heartbeatSecondsMax &&
    software.length <= softwareCharactersMax &&
    isPrintable(software)
  )
}

/** One address with two lengths would be two claims to the same place. */
function isSegmentWithinLimits(segment: SegmentFacts): boolean {
  return (
    segment.addresses.length <= overlayAddressesPerSegmentMax &&
    isStrictlySorted(segment.addresses, (a, b) =>
      compareAddresses(addressOf(a.address), addressOf(b.address)),
    )
  )
}

function isStrictlySorted<Item>(items: readonly Item[], compare: (a: Item, b: Item) => number): boolean {
  return items.every((item, index) => index === 0 || compare(items[index - 1] as Item, item) < 0)
}
