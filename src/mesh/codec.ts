import { decode, encode } from 'cborg'
import {
  compareAddresses,
  type InterfaceAddress,
  parseHostPort,
  parseInterfaceAddress,
  parseIpAddress,
  parseMacAddress,
} from '../model/address.ts'
import {
  type Announcement,
  type EndpointCandidate,
  endpointKinds,
  type IgnoreReason,
  type RejectReason,
} from '../model/announcement.ts'
import {
  announcementBytesMax,
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
import { isSequence, parseNodeId, parseNodeName } from '../model/node.ts'
import { type Claim, type OverlayAddress, parseVni, type SegmentFacts } from '../model/segment.ts'
import { parseWireguardPublicKey } from '../model/wireguard-key.ts'

/** Version 1 is a CBOR map with these keys (RFC 8949 section 4.2, deterministic encoding); others are left alone. */
const field = {
  version: 0,
  node: 1,
  incarnation: 2,
  counter: 3,
  name: 4,
  publicKey: 5,
  endpoints: 6,
  vtep: 7,
  vtepClaim: 8,
  gossip: 9,
  segments: 10,
  mtu: 11,
  heartbeat: 12,
  software: 13,
  left: 14,
} as const

export const announcementVersion = 1

export type Decoded =
  | { readonly ok: true; readonly announcement: Announcement }
  | { readonly ok: false; readonly kind: 'reject'; readonly reason: RejectReason }
  | { readonly ok: false; readonly kind: 'ignore'; readonly reason: IgnoreReason }

/** The canonical bytes of an announcement. Throws RangeError when it is over the limit: that is our own bug. */
export function encodeAnnouncement(announcement: Announcement): Uint8Array {
  const bytes = encode(
    new Map<number, unknown>([
      [field.version, announcementVersion],
      [field.node, announcement.node],
      [field.incarnation, announcement.sequence.incarnation],
      [field.counter, announcement.sequence.counter],
      [field.name, announcement.name],
      [field.publicKey, announcement.publicKey],
      [
        field.endpoints,
        announcement.endpoints.map(({ place, kind }) => [place, endpointKinds.indexOf(kind)]),
      ],
      [field.vtep, announcement.vtep],
      [field.vtepClaim, encodeClaim(announcement.vtepClaim)],
      [field.gossip, announcement.gossip],
      [field.segments, announcement.segments.map(encodeSegment)],
      [field.mtu, announcement.mtu],
      [field.heartbeat, announcement.heartbeatSeconds],
      [field.software, announcement.software],
      [field.left, announcement.left],
    ]),
  )
  if (bytes.length > announcementBytesMax) throw new RangeError(`announcement of ${bytes.length} bytes`)
  return bytes
}

/** Reads hostile bytes: every field is checked, fields of later versions are passed over. Never throws. */
export function decodeAnnouncement(bytes: Uint8Array): Decoded {
  if (bytes.length > announcementBytesMax) return reject('oversized')
  const map = decodeMap(bytes)
  if (map === null) return reject('malformed')
  const version = map.get(field.version)
  if (typeof version !== 'number') return reject('malformed')
  if (version !== announcementVersion) return { ok: false, kind: 'ignore', reason: 'unknown-version' }
  const announcement = readAnnouncement(map)
  if (announcement === null) return reject('malformed')
  if (!withinLimits(announcement)) return reject('over-limits')
  return { ok: true, announcement }
}

/** CBOR of a map with numeric keys, strictly read: no tags, no indefinite lengths, no duplicate keys. */
export function decodeMap(bytes: Uint8Array): Map<unknown, unknown> | null {
  try {
    const value: unknown = decode(bytes, {
      useMaps: true,
      strict: true,
      allowIndefinite: false,
      allowUndefined: false,
      allowBigInt: false,
      rejectDuplicateMapKeys: true,
    })
    return value instanceof Map ? value : null
  } catch {
    return null
  }
}

function encodeClaim(claim: Claim): readonly unknown[] {
  return [claim.since, claim.pinned]
}

function encodeSegment(segment: SegmentFacts): readonly unknown[] {
  const addresses = segment.addresses.map(({ address, since, pinned }) => [address, since, pinned])
  return [segment.vni, segment.mac, addresses]
}

function reject(reason: RejectReason): Decoded {
  return { ok: false, kind: 'reject', reason }
}

function readAnnouncement(map: Map<unknown, unknown>): Announcement | null {
  const node = readText(map.get(field.node), parseNodeId)
  const sequence = {
    incarnation: Number(map.get(field.incarnation)),
    counter: Number(map.get(field.counter)),
  }
  const name = readText(map.get(field.name), parseNodeName)
  const publicKey = readText(map.get(field.publicKey), parseWireguardPublicKey)
  const endpoints = readList(map.get(field.endpoints), readEndpoint)
  const vtep = readText(map.get(field.vtep), parseIpAddress)
  const vtepClaim = readClaim(map.get(field.vtepClaim))
  const gossip = readList(map.get(field.gossip), value => (typeof value === 'string' ? value : null))
  const segments = readList(map.get(field.segments), readSegment)
  const mtu = readInteger(map.get(field.mtu))
  const heartbeatSeconds = readInteger(map.get(field.heartbeat))
  const software = map.get(field.software)
  const left = map.get(field.left)
  if (node === null || name === null || publicKey === null || endpoints === null || vtep === null) return null
  if (vtepClaim === null || gossip === null || segments === null || mtu === null || heartbeatSeconds === null)
    return null
  if (typeof software !== 'string' || typeof left !== 'boolean') return null
  return {
    node,
    sequence,
    name,
    publicKey,
    endpoints,
    vtep,
    vtepClaim,
    gossip,
    segments,
    mtu,
    heartbeatSeconds,
    software,
    left,
  }
}

function withinLimits(announcement: Announcement): boolean {
  const { endpoints, gossip, segments, mtu, heartbeatSeconds, software } = announcement
  return (
    isSequence(announcement.sequence) &&
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

function isSegmentWithinLimits(segment: SegmentFacts): boolean {
  return (
    segment.addresses.length <= overlayAddressesPerSegmentMax &&
    isStrictlySorted(segment.addresses, (a, b) => compareAddresses(a.address, b.address))
  )
}

function readEndpoint(value: unknown): EndpointCandidate | null {
  if (!Array.isArray(value)) return null
  const place = readText(value[0], parseHostPort)
  const kind = endpointKinds[value[1] as number]
  return place === null || kind === undefined ? null : { place, kind }
}

function readSegment(value: unknown): SegmentFacts | null {
  if (!Array.isArray(value)) return null
  const vni = parseVni(value[0])
  const mac = readText(value[1], parseMacAddress)
  const addresses = readList(value[2], readOverlayAddress)
  return vni === null || mac === null || addresses === null ? null : { vni, mac, addresses }
}

function readOverlayAddress(value: unknown): OverlayAddress | null {
  if (!Array.isArray(value)) return null
  const address = readText<InterfaceAddress>(value[0], parseInterfaceAddress)
  const claim = readClaim(value.slice(1))
  return address === null || claim === null ? null : { address, ...claim }
}

function readClaim(value: unknown): Claim | null {
  if (!Array.isArray(value)) return null
  const since = readInteger(value[0])
  const pinned: unknown = value[1]
  return since === null || typeof pinned !== 'boolean' ? null : { since, pinned }
}

/** The canonical text is the only one taken, so that equal announcements have equal bytes. */
function readText<Value extends string>(value: unknown, parse: (text: string) => Value | null): Value | null {
  if (typeof value !== 'string') return null
  const parsed = parse(value)
  return parsed === value ? parsed : null
}

function readList<Item>(value: unknown, read: (item: unknown) => Item | null): readonly Item[] | null {
  if (!Array.isArray(value)) return null
  const items = value.map(read)
  return items.includes(null) ? null : (items as Item[])
}

function readInteger(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null
}

function isPrintable(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text)
}

function isStrictlySorted<Item>(items: readonly Item[], compare: (a: Item, b: Item) => number): boolean {
  return items.every((item, index) => index === 0 || compare(items[index - 1] as Item, item) < 0)
}
