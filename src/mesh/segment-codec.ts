import { type InterfaceAddress, parseInterfaceAddress, parseMacAddress } from '../model/address.ts'
import { type Claim, type OverlayAddress, parseVni, type SegmentFacts } from '../model/segment.ts'
import { readBoolean, readInteger, readList, readText } from './cbor.ts'

/** As it stands in an announcement, so that its size is known before. */
export function encodeSegment({ vni, mac, addresses }: SegmentFacts): readonly unknown[] {
  return [vni, mac, addresses.map(encodeOverlayAddress)]
}

export function encodeOverlayAddress({ address, since, pinned }: OverlayAddress): readonly unknown[] {
  return [address, since, pinned]
}

export function encodeClaim({ since, pinned }: Claim): readonly unknown[] {
  return [since, pinned]
}

export function readSegment(value: unknown): SegmentFacts | null {
  if (!Array.isArray(value)) return null
  const vni = parseVni(value[0])
  const mac = readText(value[1], parseMacAddress)
  const addresses = readList(value[2], readOverlayAddress)
  return vni === null || mac === null || addresses === null ? null : { vni, mac, addresses }
}

/** The MAC of a machine that does not speak for itself need not be known. */
export function readDeclaredSegment(value: unknown): SegmentFacts | null {
  if (!Array.isArray(value) || value[1] !== null) return readSegment(value)
  const vni = parseVni(value[0])
  const addresses = readList(value[2], readOverlayAddress)
  return vni === null || addresses === null ? null : { vni, mac: null, addresses }
}

function readOverlayAddress(value: unknown): OverlayAddress | null {
  if (!Array.isArray(value)) return null
  const address = readText<InterfaceAddress>(value[0], parseInterfaceAddress)
  const claim = readClaim(value.slice(1))
  return address === null || claim === null ? null : { address, ...claim }
}

export function readClaim(value: unknown): Claim | null {
  if (!Array.isArray(value)) return null
  const since = readInteger(value[0])
  const pinned = readBoolean(value[1])
  return since === null || pinned === null ? null : { since, pinned }
}
