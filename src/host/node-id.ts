import { createPrivateKey, createPublicKey } from 'node:crypto'
import { base58btc } from 'multiformats/bases/base58'
import { type NodeId, parseNodeId } from '../model/node.ts'

/** PrivateKeyInfo of an Ed25519 seed up to the seed itself (RFC 8410 section 7). */
const pkcs8Header = Buffer.from('302e020100300506032b657004220420', 'hex')
/** Multihash "identity" of 36 bytes, holding a protobuf: type 1 (Ed25519), 32 bytes (libp2p peer-ids specification). */
const nodeIdHeader = Buffer.from('002408011220', 'hex')

/** The libp2p peer id of an Ed25519 seed, without libp2p. */
export function nodeIdFromSeed(seed: Uint8Array): NodeId {
  const text = base58btc.baseEncode(Buffer.concat([nodeIdHeader, ed25519PublicKey(seed)]))
  const node = parseNodeId(text)
  if (node === null) throw new RangeError('the seed of a node id has 32 bytes')
  return node
}

function ed25519PublicKey(seed: Uint8Array): Uint8Array {
  const key = createPrivateKey({ key: Buffer.concat([pkcs8Header, seed]), format: 'der', type: 'pkcs8' })
  // SubjectPublicKeyInfo ends with the 32 bytes of the key (RFC 8410 section 4).
  return createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32)
}
