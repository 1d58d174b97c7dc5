import type { GossipSub } from '@chainsafe/libp2p-gossipsub'
import type { PeerId } from '@libp2p/interface'
import { Allowances } from '../mesh/allowances.ts'
import { allowancesMax, topicAllowance, topicFieldBytes } from '../model/limits.ts'
import type { NodeId } from '../model/node.ts'
import { breathe } from './breathe.ts'
import { countRpc } from './rpc-shape.ts'

type Rpcs = AsyncIterable<{ subarray(): Uint8Array }>

/** A public method of the class that its interface does not name: reads all that one neighbour sends. */
interface RpcReader {
  pipePeerReadStream(peer: PeerId, rpcs: Rpcs): Promise<void>
}

/**
 * Gossipsub bounds each list it decodes, but not all lists together, nor fields that come again and again, nor how much a
 * neighbour sends. What is too much is dropped before it is decoded, and told; blame is for that neighbour alone.
 */
export function boundRpcs(
  gossip: GossipSub,
  now: () => number,
  exceeded: (from: NodeId, pieces: number) => void,
): void {
  const allowances = new Allowances<NodeId>(topicAllowance, allowancesMax)
  const reader = gossip as unknown as RpcReader
  const read = reader.pipePeerReadStream.bind(reader)
  async function* modest(from: NodeId, rpcs: Rpcs): Rpcs {
    for await (const rpc of rpcs) {
      if (allowances.spend(from, 0, 0, now()) > 0) {
        exceeded(from, 1)
        continue
      }
      const bytes = rpc.subarray()
      const count = countRpc(bytes)
      // What counts no further is no RPC: it costs what its size lets expect.
      const { fields, messages } = count ?? { fields: 0, messages: 1 }
      allowances.spend(from, 1 + messages, bytes.length + topicFieldBytes * fields, now())
      if (count === null) continue
      await breathe()
      yield rpc
    }
  }
  reader.pipePeerReadStream = (peer, rpcs) => read(peer, modest(peer.toString() as NodeId, rpcs))
}
