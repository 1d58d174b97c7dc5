import { setTimeout as sleep } from 'node:timers/promises'
import type { PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { compareText } from '../model/address.ts'
import { failed, ok, type Result } from '../model/failure.ts'
import { gossipStopSecondsMax } from '../model/limits.ts'
import type { Neighbour } from '../model/neighbour.ts'
import { type NodeId, parseNodeId } from '../model/node.ts'
import { breathe } from './breathe.ts'
import { createDialSlots } from './dial-slots.ts'
import { openEnvelope, sealEnvelope } from './envelope.ts'
import { type Gate, gateOf } from './gate.ts'
import { type Admits, admission } from './interfaces.ts'
import { startDiscovery } from './mdns.ts'
import { type OwnAddresses, ownAddresses, watchMoves } from './moves.ts'
import { createNewcomers } from './newcomers.ts'
import { withoutNode } from './places.ts'
import type { Gossip, GossipHandlers, GossipOptions } from './port.ts'
import { reachFrom } from './reach.ts'
import { type Redial, startRedial } from './redial.ts'
import { type Suspects, watchSuspects } from './suspects.ts'
import { privateKeyOf, type Swarm, type SwarmParts, startSwarm, tcpParts } from './swarm.ts'
import { type Sync, type SyncHandlers, startSync } from './sync.ts'
import { joinTopic } from './topic.ts'
import { startUpkeep } from './upkeep.ts'

/** What a test may put in place of the real thing. */
export interface GossipParts extends Partial<Pick<SwarmParts, 'transports' | 'listen'>> {
  /** False: nothing is learnt but by the topic. */
  readonly sync?: boolean
  readonly admits?: Admits
  readonly addresses?: OwnAddresses
}

/** Joins the mesh's gossip. Fails when the port cannot be had; everything after that is retried for ever. */
export async function createGossip(
  options: GossipOptions,
  handlers: GossipHandlers,
  parts: GossipParts = {},
): Promise<Result<Gossip>> {
  const privateKey = privateKeyOf(options.identitySeed)
  const node = parseNodeId(peerIdFromPrivateKey(privateKey).toString())
  if (node === null)
    return failed('the identity key gives no node id; it has to be an Ed25519 seed of 32 bytes')
  let swarm: Swarm | null = null
  const suspects = watchSuspects(options.now)
  const gate = gateOf({
    self: node,
    suspects,
    newcomers: createNewcomers(options.now),
    connectionsTo: peer => swarm?.getConnections(peer) ?? [],
  })
  const started = await startSwarm(options, { ...tcpParts(options.port), ...parts, privateKey, gater: gate })
  if (!started.ok) return started
  swarm = started.value
  return ok(await join(started.value, { node, privateKey, options, handlers, parts, suspects, gate }))
}

interface Joining {
  readonly node: NodeId
  readonly privateKey: PrivateKey
  readonly options: GossipOptions
  readonly handlers: GossipHandlers
  readonly parts: GossipParts
  readonly suspects: Suspects
  readonly gate: Gate
}

async function join(swarm: Swarm, joining: Joining): Promise<Gossip> {
  const { node, privateKey, options, handlers, parts, suspects, gate } = joining
  const topic = joinTopic(swarm.services.topic, options, handlers)
  const neighbourhood = { candidates: () => handlers.candidates(), connected: () => gate.standing() }
  const dialler = { swarm, gate, slots: createDialSlots() }
  const admits = parts.admits ?? admission(options)
  const redial = startRedial(dialler, options, neighbourhood, admits)
  const reach = reachFrom(dialler, options, admits)
  const hangUpIfMoved = watchMoves(swarm, parts.addresses ?? ownAddresses(options))
  const endUpkeep = startUpkeep(swarm, topic, neighbourhood.candidates)
  const sync = parts.sync === false ? null : await startSync(swarm, options, hearing(handlers, redial))
  const changed = () => {
    redial.look()
    handlers.neighboursChanged()
  }
  swarm.addEventListener('peer:connect', changed)
  swarm.addEventListener('peer:disconnect', changed)
  const discovery = options.mdns
    ? startDiscovery(options, node, {
        found: (other, addresses, sender) => redial.discovered(other, addresses, sender),
        foundOwn: reach.watchTwins(handlers.twinMet),
        isLost: () =>
          options.bootstrap.length === 0 && gate.standing().size === 0 && handlers.candidates().length === 0,
      })
    : null
  return {
    node,
    seal: payload => sealEnvelope(privateKey, payload),
    open: async envelope => {
      await breathe()
      const opening = await openEnvelope(envelope)
      return opening.ok ? opening.opened : null
    },
    publish: async envelope => {
      const informed = await topic.publish(envelope)
      sync?.tell(informed)
    },
    neighbours: () => neighboursOf(swarm),
    dials: () => [...redial.reports(), ...suspects.reports()].sort((a, b) => compareText(a.target, b.target)),
    ownPlaces: () => redial.ownPlaces(),
    reaches: other => reach.reaches(sync, other, handlers.candidates()),
    lookForTwin: addresses => reach.lookForTwin(addresses),
    redial: () => {
      hangUpIfMoved()
      redial.refresh()
      sync?.probe()
    },
    stop: async () => {
      swarm.removeEventListener('peer:connect', changed)
      swarm.removeEventListener('peer:disconnect', changed)
      redial.stop()
      endUpkeep()
      discovery?.stop()
      topic.leave()
      await Promise.race([
        stopAll(swarm, sync),
        sleep(gossipStopSecondsMax * 1000, undefined, { ref: false }),
      ])
    },
  }
}

/** The daemon's handlers, with a look at whom to dial after each sync: it may have brought members. */
function hearing(handlers: GossipHandlers, redial: Redial): SyncHandlers {
  return {
    sync: handlers.sync,
    refused: (reason, from) => handlers.refused(reason, from),
    synced: neighbour => {
      redial.look()
      handlers.synced(neighbour)
    },
  }
}

function neighboursOf(swarm: Swarm): readonly Neighbour[] {
  const neighbours = new Map<NodeId, Neighbour>()
  for (const { remotePeer, remoteAddr, direction, status } of swarm.getConnections()) {
    const node = parseNodeId(remotePeer.toString())
    if (node === null || status !== 'open' || neighbours.has(node)) continue
    neighbours.set(node, { node, address: withoutNode(remoteAddr.toString()), direction })
  }
  return [...neighbours.values()].sort((a, b) => compareText(a.node, b.node))
}

async function stopAll(swarm: Swarm, sync: Sync | null): Promise<void> {
  await sync?.stop()
  await swarm.stop()
}
