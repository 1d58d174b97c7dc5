import { addressOf, familyOf, prefixContains } from '../../model/address.ts'
import type { SegmentConfiguration } from '../../model/configuration.ts'
import { endpointsBytesMax, overlayAddressesPerSegmentMax, segmentFactsBytesMax } from '../../model/limits.ts'
import type { Report } from './report.ts'
import type { Draft } from './sections.ts'

/** An announcement is small; what does not fit is refused here and not at run time. */
export function checkAnnounceable({ tunnel, segments }: Draft, report: Report): void {
  if (report.isBroken('segments', 'tunnel.endpoints')) return
  const endpointBytes = tunnel.endpoints.reduce((sum, place) => sum + place.length + endpointFramingBytes, 0)
  if (endpointBytes > endpointsBytesMax)
    report.add('tunnel.endpoints', 'is too long to be announced', {
      why: `at most ${endpointsBytesMax} bytes together`,
      remedy: 'leave some out',
    })
  const announced = segments.map(announcedAddresses)
  for (const [index, lengths] of announced.entries())
    if (lengths.length > overlayAddressesPerSegmentMax)
      report.add(`segments[${index}]`, `has more than ${overlayAddressesPerSegmentMax} addresses`)
  const bytes = announced.flat().reduce((sum, length) => sum + length, segments.length * segmentBytesMax)
  if (bytes > segmentFactsBytesMax)
    report.add('segments', 'has more segments and addresses than an announcement can hold', {
      remedy: 'leave some out',
    })
}

/** The head of a text, its kind and the list around them in CBOR (RFC 8949). */
const endpointFramingBytes = 5
/** VNI, MAC and framing; and what a claim adds to the text of its address. */
const segmentBytesMax = 30
const claimBytesMax = 10
/** `255.255.255.255/30`, and eight groups of four digits with `/64`. */
const automaticCharactersMax: Readonly<Record<4 | 6, number>> = { 4: 18, 6: 42 }

/** The bytes of each address of a segment: those written down, and one in each prefix that has none of them. */
function announcedAddresses({ addresses, prefixes, deriveIpv6 }: SegmentConfiguration): readonly number[] {
  if (addresses?.length === 0) return []
  const written = addresses ?? []
  const automatic = prefixes
    .filter(prefix => !written.some(address => prefixContains(prefix, addressOf(address))))
    .map(prefix => automaticCharactersMax[familyOf(prefix)])
  // Without any IPv6 network, the derived one is used.
  const derived = deriveIpv6 && [...prefixes, ...written].every(network => familyOf(network) === 4)
  if (derived) automatic.push(automaticCharactersMax[6])
  return [...written.map(address => address.length), ...automatic].map(length => length + claimBytesMax)
}
