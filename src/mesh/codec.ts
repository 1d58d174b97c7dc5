import { encode } from 'cborg'
import { parseHostPort, parseIpAddress } from '../model/address.ts'
import {
  type Announcement,
  type EndpointCandidate,
  endpointKinds,
  type IgnoreReason,
  type RejectReason,
} from '../model/announcement.ts'
import { announcementBytesMax } from '../model/limits.ts'
import { isSequence, parseNodeId, parseNodeName, type Sequence } from '../model/node.ts'
import { parseWireguardPublicKey } from '../model/wireguard-key.ts'
import { withinLimits } from './announcement-limits.ts'
import { decodeMap, readBoolean, readInteger, readList, readText } from './cbor.ts'
import { encodeGateway, readGateway } from './gateway-offer.ts'
import { encodeClaim, encodeSegment, readClaim, readDeclaredSegment, readSegment } from './segment-codec.ts'

/**
 * An announcement is a CBOR map with these keys (RFC 8949 section 4.2, deterministic encoding); others are left alone.
 * Version 1 is what a node says of itself. Version 2 is what it says of a static member: nodes that know version 1 alone
 * pass it over.
 */
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
  declaredBy: 15,
  gateway: 16,
  privileged: 17,
} as const

const versions = { own: 1, declared: 2 } as const

export type Decoded =
  | { readonly ok: true; readonly announcement: Announcement }
  | { readonly ok: false; readonly kind: 'reject'; readonly reason: RejectReason }
  | { readonly ok: false; readonly kind: 'ignore'; readonly reason: IgnoreReason }

/** The canonical bytes of an announcement. Throws RangeError when it is over the limit: that is our own bug. */
export function encodeAnnouncement(announcement: Announcement): Uint8Array {
  const { declaredBy, gateway, privileged } = announcement
  const bytes = encode(
    new Map<number, unknown>([
      [field.version, declaredBy === null ? versions.own : versions.declared],
      [field.node, announcement.node],
      [field.incarnation, announcement.sequence.incarnation],
      [field.counter, announcement.sequence.counter],
      [field.name, announcement.name],
      [field.publicKey, announcement.publicKey],
      [field.endpoints, announcement.endpoints.map(encodeEndpoint)],
      [field.vtep, announcement.vtep],
      [field.vtepClaim, encodeClaim(announcement.vtepClaim)],
      [field.gossip, announcement.gossip],
      [field.segments, announcement.segments.map(encodeSegment)],
      [field.mtu, announcement.mtu],
      [field.heartbeat, announcement.heartbeatSeconds],
      [field.software, announcement.software],
      [field.left, announcement.left],
      ...(declaredBy === null ? [] : [[field.declaredBy, declaredBy] as const]),
      ...(gateway === null ? [] : [[field.gateway, encodeGateway(gateway)] as const]),
      ...(privileged ? [[field.privileged, true] as const] : []),
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
  if (version !== versions.own && version !== versions.declared)
    return { ok: false, kind: 'ignore', reason: 'unknown-version' }
  const announcement = version === versions.own ? readAnnouncement(map) : readDeclaration(map)
  if (announcement === null) return reject('malformed')
  if (!withinLimits(announcement)) return reject('over-limits')
  return { ok: true, announcement }
}

function encodeEndpoint({ place, kind }: EndpointCandidate): readonly unknown[] {
  return [place, endpointKinds.indexOf(kind)]
}

function reject(reason: RejectReason): Decoded {
  return { ok: false, kind: 'reject', reason }
}

function readAnnouncement(map: Map<unknown, unknown>): Announcement | null {
  const read = {
    ...readCommon(map),
    segments: readList(map.get(field.segments), readSegment),
    // Nodes of 0.1.0 do not announce it.
    privileged: readBoolean(map.get(field.privileged) ?? false),
  }
  const gateway = readGateway(map.get(field.gateway), read.segments?.length ?? 0)
  return isComplete(read) && gateway !== null ? { ...read, declaredBy: null, gateway: gateway.offer } : null
}

function readDeclaration(map: Map<unknown, unknown>): Announcement | null {
  const read = {
    ...readCommon(map),
    segments: readList(map.get(field.segments), readDeclaredSegment),
    declaredBy: readText(map.get(field.declaredBy), parseNodeId),
  }
  return isComplete(read) ? { ...read, gateway: null, privileged: false } : null
}

function readCommon(map: Map<unknown, unknown>) {
  return {
    node: readText(map.get(field.node), parseNodeId),
    sequence: readSequence(map.get(field.incarnation), map.get(field.counter)),
    name: readText(map.get(field.name), parseNodeName),
    publicKey: readText(map.get(field.publicKey), parseWireguardPublicKey),
    endpoints: readList(map.get(field.endpoints), readEndpoint),
    vtep: readText(map.get(field.vtep), parseIpAddress),
    vtepClaim: readClaim(map.get(field.vtepClaim)),
    gossip: readList(map.get(field.gossip), value => (typeof value === 'string' ? value : null)),
    mtu: readInteger(map.get(field.mtu)),
    heartbeatSeconds: readInteger(map.get(field.heartbeat)),
    software: readText(map.get(field.software), text => text),
    left: readBoolean(map.get(field.left)),
  }
}

function isComplete<Read extends object>(
  read: Read,
): read is Read & { readonly [Key in keyof Read]: NonNullable<Read[Key]> } {
  return Object.values(read).every(value => value !== null)
}

function readSequence(incarnation: unknown, counter: unknown): Sequence | null {
  const sequence = { incarnation: incarnation as number, counter: counter as number }
  return isSequence(sequence) ? sequence : null
}

function readEndpoint(value: unknown): EndpointCandidate | null {
  if (!Array.isArray(value)) return null
  const place = readText(value[0], parseHostPort)
  const index = readInteger(value[1])
  const kind = index === null ? undefined : endpointKinds[index]
  return place === null || kind === undefined ? null : { place, kind }
}
