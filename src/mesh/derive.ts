import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, concatBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import { base58btc } from 'multiformats/bases/base58'
import {
  addressOf,
  familyOf,
  type IpAddress,
  ipAddressBytes,
  ipAddressFromBytes,
  lengthOf,
  type MacAddress,
  type Prefix,
} from '../model/address.ts'
import { derivedTextsCachedMax } from '../model/limits.ts'
import type { MeshId, NodeId } from '../model/node.ts'
import type { Vni } from '../model/segment.ts'
import type { KeyFingerprint, WireguardPublicKey, WireguardSecretKey } from '../model/wireguard-key.ts'

/** The ULA /64 the VTEPs of a mesh live in: fd, then 56 bits of hash (RFC 4193 section 3.1). */
export function vtepPrefix(mesh: MeshId): Prefix {
  return ulaPrefix('vtep prefix', mesh)
}

/** The derived IPv6 /64 of a segment. */
export function segmentPrefix(mesh: MeshId, vni: Vni): Prefix {
  return ulaPrefix('segment prefix', mesh, String(vni))
}

/** The address a node owns in an IPv6 prefix of at most 64 bits: nobody else's id derives the same one. */
export function derivedAddress(node: NodeId, prefix: Prefix): IpAddress {
  return remembered(`${node} ${prefix}`, () => {
    const bytes = ipAddressBytes(addressOf(prefix))
    bytes.set(digest('interface id', node).subarray(0, 8), 8)
    return ipAddressFromBytes(bytes)
  })
}

/**
 * The id under which a node declares a machine without lnetd: an id whose key nobody has. Nobody else can declare
 * under it, because the declaring node is part of what it is derived from.
 */
export function staticNodeId(declaredBy: NodeId, publicKey: WireguardPublicKey): NodeId {
  return remembered(`${declaredBy} static ${publicKey}`, () => {
    const bytes = concatBytes(nodeIdHeader, digest('static member', declaredBy, publicKey))
    return base58btc.baseEncode(bytes) as NodeId
  })
}

/** The MAC of a node's interface in a segment: locally administered, unicast (IEEE 802 c-2017: the 2 bit). */
export function segmentMac(node: NodeId, vni: Vni): MacAddress {
  return remembered(`${node} mac ${vni}`, () => {
    const bytes = digest('mac', node, String(vni)).slice(0, 6)
    bytes[0] = ((bytes[0] as number) & 0xfc) | 0x02
    return Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join(':') as MacAddress
  })
}

/**
 * The IPv4 address a node tries at its nth attempt. Network and broadcast addresses are never given; every
 * other address of the prefix comes up for some attempt.
 */
export function candidateAddress(node: NodeId, prefix: Prefix, attempt: number): IpAddress {
  if (familyOf(prefix) !== 4) throw new RangeError(`${prefix} is not IPv4`)
  const hosts = usableHosts(prefix)
  const start = Number(new DataView(digest('ipv4', node, prefix).buffer).getUint32(0)) % hosts.count
  const offset = hosts.first + ((start + attempt) % hosts.count)
  const network = new DataView(ipAddressBytes(addressOf(prefix)).buffer).getUint32(0)
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, network + offset)
  return ipAddressFromBytes(bytes)
}

/** How many addresses of an IPv4 prefix can be given to nodes: all of a /31 and /32 (RFC 3021). */
export function usableHosts(prefix: Prefix): { readonly first: number; readonly count: number } {
  const size = 2 ** (32 - lengthOf(prefix))
  return size <= 2 ? { first: 0, count: size } : { first: 1, count: size - 2 }
}

/** Multihash "identity" of 36 bytes, holding a protobuf: type 1 (Ed25519), 32 bytes (libp2p peer-ids specification). */
const nodeIdHeader = Uint8Array.of(0x00, 0x24, 0x08, 0x01, 0x12, 0x20)

export function keyFingerprint(key: WireguardSecretKey): KeyFingerprint {
  return remembered(
    `fingerprint ${key}`,
    () => bytesToHex(digest('fingerprint', key)).slice(0, 16) as KeyFingerprint,
  )
}

/** A 32-bit number both nodes of a pair compute alike. Cheap: it spreads links, it protects nothing. */
export function pairRank(a: NodeId, b: NodeId): number {
  return mix(textHash(a) ^ textHash(b))
}

/** SHA-256 over length-prefixed parts under a label, so that no two uses collide. */
export function digest(label: string, ...parts: readonly string[]): Uint8Array {
  const encoded = [`lnet/1/${label}`, ...parts].map(utf8ToBytes)
  return sha256(concatBytes(...encoded.flatMap(part => [lengthBytes(part.length), part])))
}

function ulaPrefix(label: string, ...parts: readonly string[]): Prefix {
  return remembered(`${label} ${parts.join(' ')}`, () => {
    const bytes = new Uint8Array(16)
    bytes[0] = 0xfd
    bytes.set(digest(label, ...parts).subarray(0, 7), 1)
    return `${ipAddressFromBytes(bytes)}/64` as Prefix
  })
}

const remembrance = new Map<string, string>()

/** Every look and every heartbeat is checked against what is derived: hashing that anew was most of the cost. */
function remembered<Text extends string>(key: string, derive: () => Text): Text {
  const known = remembrance.get(key)
  if (known !== undefined) return known as Text
  const text = derive()
  if (remembrance.size >= derivedTextsCachedMax) remembrance.clear()
  remembrance.set(key, text)
  return text
}

function lengthBytes(length: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, length)
  return bytes
}

/** FNV-1a, 32 bits. */
function textHash(text: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index += 1)
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  return hash
}

/** The finalizer of MurmurHash3. */
function mix(value: number): number {
  let hash = value
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
