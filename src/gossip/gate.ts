import { setTimeout as sleep } from 'node:timers/promises'
import type { Connection, ConnectionGater, PeerId } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { NodeId } from '../model/node.ts'
import { judgeDuplicate } from './duplicates.ts'
import type { Suspects } from './suspects.ts'
import { isInsideAddress } from './swarm.ts'

/** What the gate has to know of the swarm it guards. */
export interface Guarded {
  readonly self: NodeId
  isInside(address: string): boolean
  connectionsTo(peer: PeerId): readonly Connection[]
  readonly suspects: Suspects
}

/** Refuses tunnel addresses, keeps one connection a node, and watches who fails in the handshake. */
export function gateOf(guarded: Guarded): ConnectionGater {
  const isInside = (address: Multiaddr) => isInsideAddress(guarded, address.toString())
  return {
    denyDialMultiaddr: isInside,
    filterMultiaddrForPeer: (_peer, address) => !isInside(address),
    denyInboundConnection: connection => {
      guarded.suspects.watch(connection)
      return false
    },
    denyInboundEncryptedConnection: (peer, connection) => {
      guarded.suspects.clear(connection)
      return refuses(guarded, peer, 'inbound')
    },
    denyOutboundEncryptedConnection: peer => refuses(guarded, peer, 'outbound'),
  }
}

async function refuses(guarded: Guarded, peer: PeerId, coming: 'inbound' | 'outbound'): Promise<boolean> {
  const open = guarded.connectionsTo(peer).filter(connection => connection.status === 'open')
  const [first] = open
  if (first === undefined) return false
  const existing = { direction: first.direction, ageMilliseconds: Date.now() - first.timeline.open }
  const other = peer.toString() as NodeId
  if (judgeDuplicate({ self: guarded.self, other, existing, coming }) === 'refuse') return true
  for (const connection of open) connection.abort(new Error('replaced by a new connection'))
  // Gossipsub hears of the loss a few turns later; until then it would take the new one for the old.
  await sleep(50)
  return false
}
