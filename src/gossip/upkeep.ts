import { neighboursToHangUp } from '../mesh/upkeep.ts'
import { forgettingSeconds, upkeepSeconds } from '../model/limits.ts'
import type { NodeId } from '../model/node.ts'
import type { DialCandidate } from './port.ts'
import { createForgetting } from './strangers.ts'
import type { Swarm } from './swarm.ts'
import type { Topic } from './topic.ts'

/** Ends connections that are deaf or too many, and forgets who is gone, until stopped. */
export function startUpkeep(
  swarm: Swarm,
  topic: Topic,
  candidates: () => readonly DialCandidate[],
): () => void {
  const forget = createForgetting(swarm)
  const timers = [
    setInterval(() => keepUp(swarm, topic, candidates), upkeepSeconds * 1000),
    setInterval(() => void forget().catch(() => undefined), forgettingSeconds * 1000),
  ]
  return () => {
    for (const timer of timers) clearInterval(timer)
  }
}

function keepUp(swarm: Swarm, topic: Topic, candidates: () => readonly DialCandidate[]): void {
  const listeners = topic.listeners()
  const wanted = new Set<string>(candidates().flatMap(({ node, wanted }) => (wanted ? [node] : [])))
  const connections = swarm.getConnections().filter(({ status }) => status === 'open')
  const links = connections.map(({ remotePeer, direction, timeline }) => ({
    node: remotePeer.toString() as NodeId,
    direction,
    ageMilliseconds: Date.now() - timeline.open,
    listens: listeners.has(remotePeer.toString()),
    wanted: wanted.has(remotePeer.toString()),
  }))
  const reasons = new Map<string, string>(neighboursToHangUp(links).map(({ node, reason }) => [node, reason]))
  for (const connection of connections) {
    const reason = reasons.get(connection.remotePeer.toString())
    if (reason === 'deaf') connection.abort(new Error('the connection carries no topic'))
    if (reason === 'surplus') void connection.close().catch(() => connection.abort(new Error('surplus')))
  }
}
