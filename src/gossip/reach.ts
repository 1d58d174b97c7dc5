import { setTimeout as sleep } from 'node:timers/promises'
import type { Endpoint } from '../model/address.ts'
import { reachSecondsMax, syncProbeSecondsMax } from '../model/limits.ts'
import type { TwinAnswer } from '../model/neighbour.ts'
import type { NodeId } from '../model/node.ts'
import { type Dialler, dialAddresses } from './dial.ts'
import type { AddressSource, Admits } from './interfaces.ts'
import { endpointOf } from './places.ts'
import type { DialCandidate, GossipOptions } from './port.ts'
import type { Swarm } from './swarm.ts'
import type { Sync } from './sync.ts'
import { admitted } from './targets.ts'

/** Finds out who answers where, at addresses that others named. Never throws. */
export interface Reach {
  /** Whether a node answers: a neighbour that is still one after it was asked, or one that can be dialled. */
  reaches(sync: Sync | null, node: NodeId, candidates: readonly DialCandidate[]): Promise<boolean>
  /** libp2p connects to nobody with its own key, and says so once the other has proven to have it. */
  lookForTwin(addresses: readonly string[]): Promise<TwinAnswer>
  /**
   * Takes addresses where this node's own id was seen on a LAN. `met` is called when another machine there proved to
   * have its key; one is looked for at a time.
   */
  watchTwins(met: (place: Endpoint) => void): (addresses: readonly string[]) => void
}

export function reachFrom(
  dialler: Dialler,
  { resolve }: Pick<GossipOptions, 'resolve'>,
  admits: Admits,
): Reach {
  const self = dialler.swarm.peerId.toString() as NodeId
  const patience = () => AbortSignal.timeout(reachSecondsMax * 1000)

  async function lookForTwin(addresses: readonly string[], source: AddressSource): Promise<TwinAnswer> {
    const found = admitted(addresses, self, source, resolve, admits)
    const outcomes = await Promise.all(found.map(each => dialAddresses(dialler, [each], patience())))
    const failures = outcomes.filter(outcome => !outcome.ok)
    if (failures.some(({ isSelf }) => isSelf)) return 'speaks'
    return failures.some(({ failure }) => failure.error.includes('ECONNREFUSED')) ? 'refusal' : 'silence'
  }

  return {
    async reaches(sync, node, candidates) {
      if (isNeighbour(dialler.swarm, node)) {
        // Whoever does not answer the probe is hung up on.
        sync?.probe(node)
        await sleep(syncProbeSecondsMax * 1000, undefined, { ref: false })
        return isNeighbour(dialler.swarm, node)
      }
      const addresses = candidates.find(candidate => candidate.node === node)?.addresses ?? []
      const found = admitted(addresses, node, 'node', resolve, admits).map(async each =>
        (await each).map(address => `${address}/p2p/${node}`),
      )
      return (await dialAddresses(dialler, found, patience())).ok
    },
    lookForTwin: addresses => lookForTwin(addresses, 'node'),
    watchTwins: met => {
      let isLooking = false
      return async addresses => {
        const address = addresses.find(each => admits(each, 'lan'))
        const place = address === undefined ? null : endpointOf(address)
        if (isLooking || address === undefined || place === null) return
        isLooking = true
        const answer = await lookForTwin([address], 'lan')
        isLooking = false
        if (answer === 'speaks') met(place)
      }
    },
  }
}

function isNeighbour(swarm: Swarm, node: NodeId): boolean {
  return swarm
    .getConnections()
    .some(({ remotePeer, status }) => status === 'open' && remotePeer.toString() === node)
}
