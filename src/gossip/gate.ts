import { setTimeout as sleep } from 'node:timers/promises'
import type { Connection, ConnectionGater, MultiaddrConnection, PeerId } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { NodeId } from '../model/node.ts'
import { judgeDuplicate } from './duplicates.ts'
import type { Newcomers } from './newcomers.ts'
import { withoutNode } from './places.ts'
import type { Suspects } from './suspects.ts'

/** What the gate has to know of the swarm it guards. */
export interface Guarded {
  readonly self: NodeId
  connectionsTo(peer: PeerId): readonly Connection[]
  readonly suspects: Suspects
  readonly newcomers: Newcomers
}

/** The connection a node was let in with last: it stands, or is about to. */
interface LetIn {
  readonly connection: MultiaddrConnection
  readonly direction: 'inbound' | 'outbound'
}

/** Gossipsub hears of a loss a few turns later; until then it would take a new connection for the old. */
const gossipsubNoticesMilliseconds = 50

export interface Gate extends ConnectionGater {
  /** The first bytes of a handshake came. */
  spoke(connection: MultiaddrConnection): void
  /** Lets an address be dialled until the answer is called: nothing else is, whatever libp2p learns of addresses. */
  permit(address: string): () => void
  /** Ids of the nodes that have a connection, or are just getting one: nobody need dial them. */
  standing(): ReadonlySet<string>
}

/** A dial reached a node that has a connection already. Thrown by the gate, so that who dialled learns who lives there. */
export class AlreadyConnected extends Error {
  readonly node: NodeId

  constructor(node: NodeId) {
    super(`${node} is connected already`)
    this.node = node
  }
}

/** Refuses every dial that is not lnet's own, keeps one connection a node, bounds whom nobody knows yet, and watches who fails. */
export function gateOf(guarded: Guarded): Gate {
  const permits = new Map<string, number>()
  const isRefused = (address: Multiaddr) => !permits.has(withoutNode(address.toString()))
  const letIn = new Map<NodeId, LetIn>()
  const refuses = (peer: PeerId, connection: MultiaddrConnection, direction: LetIn['direction']) =>
    refusesDuplicate(guarded, letIn, peer, { connection, direction })
  const standing = () =>
    new Set([...letIn].flatMap(([node, { connection }]) => (connection.status === 'open' ? [node] : [])))
  return {
    standing,
    spoke: connection => {
      guarded.suspects.spoke(connection)
      guarded.newcomers.spoke(connection)
    },
    permit: address => permit(permits, withoutNode(address)),
    denyDialMultiaddr: isRefused,
    // Addresses in libp2p's own book are dialled by nobody.
    filterMultiaddrForPeer: () => false,
    denyInboundConnection: connection => {
      guarded.suspects.watch(connection)
      return !guarded.newcomers.enter(connection)
    },
    denyInboundEncryptedConnection: (peer, connection) => {
      guarded.suspects.clear(connection)
      return !guarded.newcomers.proven(connection, nodeOf(peer)) || refuses(peer, connection, 'inbound')
    },
    denyOutboundEncryptedConnection: async (peer, connection) => {
      const isRefused = await refuses(peer, connection, 'outbound')
      const node = nodeOf(peer)
      if (isRefused && standing().has(node)) throw new AlreadyConnected(node)
      return isRefused
    },
  }
}

/** The same address may be dialled for two targets at once. */
function permit(permits: Map<string, number>, address: string): () => void {
  permits.set(address, (permits.get(address) ?? 0) + 1)
  return () => {
    const left = (permits.get(address) ?? 1) - 1
    if (left > 0) permits.set(address, left)
    else permits.delete(address)
  }
}

/** What comes while another one makes room meets that one: never are two let in. */
async function refusesDuplicate(
  guarded: Guarded,
  letIn: Map<NodeId, LetIn>,
  peer: PeerId,
  coming: LetIn,
): Promise<boolean> {
  // It would never be forgotten: the word of its end is over.
  if (coming.connection.status !== 'open') return true
  const node = nodeOf(peer)
  const existing = letIn.get(node)
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
  letIn.set(node, coming)
  coming.connection.addEventListener('close', () => {
    if (letIn.get(node) === coming) letIn.delete(node)
  })
  if (!stands) return false
  const reason = new Error('replaced by a new connection')
  for (const connection of guarded.connectionsTo(peer)) connection.abort(reason)
  existing.connection.abort(reason)
  await sleep(gossipsubNoticesMilliseconds)
  // Another one may have taken its place meanwhile.
  return letIn.get(node) !== coming
}

function nodeOf(peer: PeerId): NodeId {
  return peer.toString() as NodeId
}
