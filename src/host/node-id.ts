import { base58btc } from 'multiformats/bases/base58'
import { type NodeId, parseNodeId } from '../model/node.ts'
import { publicKeyBytes } from './public-key.ts'

/** Multihash "identity" of 36 bytes, holding a protobuf: type 1 (Ed25519), 32 bytes (libp2p peer-ids specification). */
const nodeIdHeader = Buffer.from('002408011220', 'hex')

/** The libp2p peer id of an Ed25519 seed, without libp2p. */
export function nodeIdFromSeed(seed: Uint8Array): NodeId {
  const text = base58btc.baseEncode(Buffer.concat([nodeIdHeader, publicKeyBytes('ed25519', seed)]))
  const node = parseNodeId(text)
  if (node === null) throw new RangeError('the seed of a node id has 32 bytes')
  return node
}
