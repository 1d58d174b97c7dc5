import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os'
import { parseIpAddress } from '../model/address.ts'
import { placeOf } from './places.ts'
import type { GossipOptions } from './port.ts'

let known: readonly NetworkInterfaceInfo[] = []

/** The addresses of this machine's interfaces; the last known ones while the system does not tell, out of descriptors. */
export function interfaceAddresses(): readonly NetworkInterfaceInfo[] {
  try {
    known = Object.values(networkInterfaces()).flatMap(each => each ?? [])
  } catch {
    // Nothing that was there a moment ago is taken for gone.
  }
  return known
}

/** Those multiaddrs that lead neither into the mesh nor to this machine at the port this node listens on, as of now. */
export function leadingElsewhere(
  addresses: readonly string[],
  { isInside, port }: Pick<GossipOptions, 'isInside' | 'port'>,
): readonly string[] {
  const own = new Set(interfaceAddresses().map(({ address }) => parseIpAddress(address) as string | null))
  return addresses.filter(address => {
    const place = placeOf(address)
    return place === null || !(isInside(place.host) || (place.port === port && own.has(place.host)))
  })
}
