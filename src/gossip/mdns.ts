import { createHash } from 'node:crypto'
import { addressesPerPlaceMax } from '../model/limits.ts'
import { parseNodeId } from '../model/node.ts'
import type { Redial } from './redial.ts'
import type { Swarm } from './swarm.ts'

/** A DNS-SD service of this mesh alone, so that other meshes and other libp2p programs are not even asked. */
export function serviceTagOf(topic: string): string {
  const digest = createHash('sha256').update(topic).digest('hex').slice(0, 16)
  return `_lnet-${digest}._udp.local`
}

/** Hands what multicast finds to whoever dials. Addresses of hostile origin: they are checked before they are dialled. */
export function followDiscovery(swarm: Swarm, redial: Pick<Redial, 'discovered'>): void {
  swarm.services.mdns?.addEventListener('peer', ({ detail: { id, multiaddrs } }) => {
    const node = parseNodeId(id.toString())
    if (node !== null) redial.discovered(node, multiaddrs.slice(0, addressesPerPlaceMax).map(String))
  })
}
