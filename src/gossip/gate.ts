import { setTimeout as sleep } from 'node:timers/promises'
import type { Connection, ConnectionGater, MultiaddrConnection, PeerId } from '@libp2p/interface'
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

/** The connection a node was let in with last: it stands, or is about to. */
interface LetIn {
  readonly connection: MultiaddrConnection
  readonly direction: 'inbound' | 'outbound'
}

/** Gossipsub hears of a loss a few turns later; until then it would take a new connection for the old. */
const gossipsubNoticesMilliseconds = 50

/** Refuses tunnel addresses, keeps one connection a node, and watches who fails in the handshake. */
export function gateOf(guarded: Guarded): ConnectionGater {
  const isInside = (address: Multiaddr) => isInsideAddress(guarded, address.toString())
  const standing = new Map<string, LetIn>()
  const refuses = (peer: PeerId, connection: MultiaddrConnection, direction: LetIn['direction']) =>
    refusesDuplicate(guarded, standing, peer, { connection, direction })
  return {
    denyDialMultiaddr: isInside,
    filterMultiaddrForPeer: (_peer, address) => !isInside(address),
    denyInboundConnection: connection => {
      guarded.suspects.watch(connection)
      return false
    },
    denyInboundEncryptedConnection: (peer, connection) => {
      guarded.suspects.clear(connection)
      return refuses(peer, connection, 'inbound')
    },
    denyOutboundEncryptedConnection: (peer, connection) => refuses(peer, connection, 'outbound'),
  }
}

/** What comes while another one makes room meets that one: never are two let in. */
async function refusesDuplicate(
  guarded: Guarded,
  standing: Map<string, LetIn>,
  peer: PeerId,
  coming: LetIn,
): Promise<boolean> {
  // It would never be forgotten: the word of its end is over.
  if (coming.connection.status !== 'open') return true
  const node = peer.toString() as NodeId
  const existing = standing.get(node)
  const stands = existing !== undefined && existing.connection.status === 'open'
  if (stands) {
    const verdict = judgeDuplicate({
      self: guarded.self,
      other: node,
      existing: existing.direction,
      coming: coming.direction,
      laterMilliseconds: coming.connection.timeline.open - existing.connection.timeline.open,
    })
    if (verdict === 'refuse') return true
  }
  standing.set(node, coming)
  coming.connection.addEventListener('close', () => {
    if (standing.get(node) === coming) standing.delete(node)
  })
  if (!stands) return false
  const reason = new Error('replaced by a new connection')
  for (const connection of guarded.connectionsTo(peer)) connection.abort(reason)
  existing.connection.abort(reason)
  await sleep(gossipsubNoticesMilliseconds)
  // Another one may have taken its place meanwhile.
  return standing.get(node) !== coming
}
