import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import { loopProbeBytesMax } from '../model/limits.ts'
import { isSequence, type NodeId, parseNodeId, type Sequence } from '../model/node.ts'
import { parseVni, type Vni } from '../model/segment.ts'

/** What a node says on a bridge, for those who can hear it without the segment that is in it. */
export interface LoopProbe {
  readonly node: NodeId
  readonly vni: Vni
  /** Grows with every probe of the node: an old one that is played again says nothing. */
  readonly sequence: Sequence
  /** Whether its segment is in the bridge now; `gone`: it will not be, and this is the last probe. */
  readonly standing: Standing
}

const standings = ['out', 'joined', 'gone'] as const
export type Standing = (typeof standings)[number]

/**
 * Magic, version, standing, VNI (4 bytes), incarnation and counter (6 each), all in network order, the node id as
 * text; then 16 bytes of HMAC-SHA256 (RFC 2104, 80 bits or more of it) by a key that hangs on the mesh secret.
 */
export function encodeLoopProbe(probe: LoopProbe, key: Uint8Array): Uint8Array {
  const head = new Uint8Array(headBytes)
  head.set(magic)
  const view = new DataView(head.buffer)
  view.setUint8(5, standings.indexOf(probe.standing))
  view.setUint32(6, probe.vni)
  setCount(view, 10, probe.sequence.incarnation)
  setCount(view, 16, probe.sequence.counter)
  const said = concatBytes(head, utf8ToBytes(probe.node))
  return concatBytes(said, tagOf(said, key))
}

/** Null for whatever is not a probe of our mesh. */
export function decodeLoopProbe(bytes: Uint8Array, key: Uint8Array): LoopProbe | null {
  if (bytes.length > loopProbeBytesMax || bytes.length <= headBytes + tagBytes) return null
  const said = bytes.subarray(0, -tagBytes)
  if (!magic.every((byte, index) => said[index] === byte)) return null
  if (!isSame(tagOf(said, key), bytes.subarray(-tagBytes))) return null
  const view = new DataView(said.buffer, said.byteOffset, said.length)
  const standing = standings[view.getUint8(5)]
  const vni = parseVni(view.getUint32(6))
  const sequence = { incarnation: countAt(view, 10), counter: countAt(view, 16) }
  const node = parseNodeId(String.fromCharCode(...said.subarray(headBytes)))
  if (standing === undefined || vni === null || node === null || !isSequence(sequence)) return null
  return { node, vni, sequence, standing }
}

/** `lnlp`, version 1. */
const magic = Uint8Array.of(0x6c, 0x6e, 0x6c, 0x70, 1)
const headBytes = 22
const tagBytes = 16

function tagOf(said: Uint8Array, key: Uint8Array): Uint8Array {
  return hmac(sha256, key, said).subarray(0, tagBytes)
}

/** In the same time wherever they differ. */
function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.reduce((difference, byte, index) => difference | (byte ^ (b[index] ?? 0)), 0) === 0
}

/** 48 bits: a sequence number has no more. */
function setCount(view: DataView, at: number, count: number): void {
  view.setUint16(at, Math.floor(count / 2 ** 32))
  view.setUint32(at + 2, count % 2 ** 32)
}

function countAt(view: DataView, at: number): number {
  return view.getUint16(at) * 2 ** 32 + view.getUint32(at + 2)
}
