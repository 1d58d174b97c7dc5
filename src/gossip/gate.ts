import { setTimeout as sleep } from 'node:timers/promises'
import type { Connection, ConnectionGater, PeerId } from '@libp2p/interface'
import type { NodeId } from '../model/node.ts'
import { judgeDuplicate } from './duplicates.ts'
import { isInsideAddress } from './swarm.ts'

/** What the gate has to know of the swarm it guards. */
export interface Guarded {
  readonly self: NodeId
  isInside(address: string): boolean
  connectionsTo(peer: PeerId): readonly Connection[]
}

/** Refuses tunnel addresses and keeps one connection a node. */
export function gateOf(guarded: Guarded): ConnectionGater {
  const refusesSecond = (coming: 'inbound' | 'outbound') => (peer: PeerId) => refuses(guarded, peer, coming)
  return {
    denyDialMultiaddr: address => isInsideAddress(guarded, address.toString()),
    filterMultiaddrForPeer: (_peer, address) => !isInsideAddress(guarded, address.toString()),
    denyInboundEncryptedConnection: refusesSecond('inbound'),
    denyOutboundEncryptedConnection: refusesSecond('outbound'),
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
