import { encode } from 'cborg'
import { compareAddresses } from '../model/address.ts'
import type { OwnClaims, OwnOverlayClaim } from '../model/claims.ts'
import type { Configuration } from '../model/configuration.ts'
import { overlayAddressesPerSegmentMax, segmentFactsBytesMax } from '../model/limits.ts'
import type { NodeId } from '../model/node.ts'
import type { SegmentFacts } from '../model/segment.ts'
import { segmentMac } from './derive.ts'
import { encodeOverlayAddress, encodeSegment } from './segment-codec.ts'

/**
 * Every segment, so that its frames find us, and as many of their addresses as an announcement has room for, pinned
 * ones first. The configuration is bounded so that all fit; claims kept from a former one may be more, for a moment.
 */
export function segmentFacts(
  node: NodeId,
  configuration: Configuration,
  claims: OwnClaims,
): readonly SegmentFacts[] {
  const bare = configuration.segments.map(
    ({ vni }): SegmentFacts => ({ vni, mac: segmentMac(node, vni), addresses: [] }),
  )
  const candidates = bare.flatMap(({ vni }) =>
    byPriority(claims.overlay.filter(claim => claim.vni === vni)).slice(0, overlayAddressesPerSegmentMax),
  )
  const kept = firstThatFit(byPriority(candidates), segmentFactsBytesMax - bytesOf(bare.map(encodeSegment)))
  return bare.map(facts => ({ ...facts, addresses: addressesOf(facts, kept) })).sort((a, b) => a.vni - b.vni)
}

function byPriority(claims: readonly OwnOverlayClaim[]): readonly OwnOverlayClaim[] {
  return claims.toSorted((a, b) => Number(b.pinned) - Number(a.pinned))
}

function firstThatFit(claims: readonly OwnOverlayClaim[], bytesMax: number): readonly OwnOverlayClaim[] {
  let room = bytesMax
  return claims.filter(claim => {
    const bytes = bytesOf(encodeOverlayAddress(claim))
    if (bytes > room) return false
    room -= bytes
    return true
  })
}

function addressesOf({ vni }: SegmentFacts, claims: readonly OwnOverlayClaim[]): SegmentFacts['addresses'] {
  return claims
    .filter(claim => claim.vni === vni)
    .map(({ address, since, pinned }) => ({ address, since, pinned }))
    .sort((a, b) => compareAddresses(a.address, b.address))
}

function bytesOf(value: unknown): number {
  return encode(value).length
}
