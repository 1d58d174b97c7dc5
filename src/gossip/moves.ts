import { interfaceAddresses } from './interfaces.ts'
import type { GossipOptions } from './port.ts'
import type { Swarm } from './swarm.ts'

/** This machine's own addresses outside the mesh. */
export type OwnAddresses = () => ReadonlySet<string>

/** Link-local ones are left out: those of our own devices look like any others. */
export function ownAddresses(options: Pick<GossipOptions, 'isInside'>): OwnAddresses {
  return () => {
    const outside = interfaceAddresses().filter(
      ({ address, internal }) => !internal && !/^fe[89ab]/.test(address) && !options.isInside(address),
    )
    return new Set(outside.map(({ address }) => address))
  }
}

/**
 * Call the answer whenever the underlay may have changed. Connections from an address this machine has lost get no
 * answer any more, and what is said on them is said to nobody until a probe ends them. libp2p does not tell which
 * ones they are: all are ended then, and made again at once.
 */
export function watchMoves(swarm: Pick<Swarm, 'getConnections'>, addresses: OwnAddresses): () => void {
  let known = addresses()
  return () => {
    const before = known
    known = addresses()
    if ([...before].every(address => known.has(address))) return
    for (const connection of swarm.getConnections()) connection.abort(new Error('this machine moved'))
  }
}
