import { setTimeout as sleep } from 'node:timers/promises'
import type { Endpoint } from '../model/address.ts'
import { reachSecondsMax, syncProbeSecondsMax } from '../model/limits.ts'
import type { TwinAnswer } from '../model/neighbour.ts'
import type { NodeId } from '../model/node.ts'
import { dialAddresses } from './dial.ts'
import { leadingElsewhere } from './interfaces.ts'
import { endpointOf } from './places.ts'
import type { DialCandidate, GossipOptions } from './port.ts'
import type { Swarm } from './swarm.ts'
import type { Sync } from './sync.ts'

/** Whether a node answers: a neighbour that is still one after it was asked, or one that can be dialled. */
export async function reaches(
  swarm: Swarm,
  sync: Sync | null,
  node: NodeId,
  candidates: readonly DialCandidate[],
): Promise<boolean> {
  if (isNeighbour(swarm, node)) {
    // Whoever does not answer the probe is hung up on.
    sync?.probe(node)
    await sleep(syncProbeSecondsMax * 1000, undefined, { ref: false })
    return isNeighbour(swarm, node)
  }
  const addresses = candidates.find(candidate => candidate.node === node)?.addresses ?? []
  const patience = AbortSignal.timeout(reachSecondsMax * 1000)
  const outcome = await dialAddresses(
    swarm,
    addresses.map(address => `${address}/p2p/${node}`),
    patience,
  )
  return outcome.ok
}

/** libp2p connects to nobody with its own key, and says so once the other has proven to have it. */
export async function lookForTwin(
  swarm: Swarm,
  options: Pick<GossipOptions, 'isInside' | 'port'>,
  addresses: readonly string[],
): Promise<TwinAnswer> {
  const elsewhere = leadingElsewhere(addresses, options)
  const patience = AbortSignal.timeout(reachSecondsMax * 1000)
  const outcomes = await Promise.all(elsewhere.map(address => dialAddresses(swarm, [address], patience)))
  const failures = outcomes.filter(outcome => !outcome.ok)
  if (failures.some(({ isSelf }) => isSelf)) return 'speaks'
  return failures.some(({ failure }) => failure.error.includes('ECONNREFUSED')) ? 'refusal' : 'silence'
}

/**
 * Takes addresses where this node's own id was seen. `met` is called when another machine there proved to have its key;
 * one is looked for at a time.
 */
export function watchTwins(
  swarm: Swarm,
  options: Pick<GossipOptions, 'isInside' | 'port'>,
  met: (place: Endpoint) => void,
): (addresses: readonly string[]) => void {
  let isLooking = false
  return async addresses => {
    const [address] = leadingElsewhere(addresses, options)
    const place = address === undefined ? null : endpointOf(address)
    if (isLooking || address === undefined || place === null) return
    isLooking = true
    const answer = await lookForTwin(swarm, options, [address])
    isLooking = false
    if (answer === 'speaks') met(place)
  }
}

function isNeighbour(swarm: Swarm, node: NodeId): boolean {
  return swarm
    .getConnections()
    .some(({ remotePeer, status }) => status === 'open' && remotePeer.toString() === node)
}
