import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os'
import { parseIpAddress } from '../model/address.ts'
import { placeOf } from './places.ts'

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

/** Tells of multiaddrs whether they lead to this machine, at the port this node listens on. As of now. */
export function ownPlaces(port: number): (address: string) => boolean {
  const own = new Set(interfaceAddresses().map(({ address }) => parseIpAddress(address) as string | null))
  return address => {
    const place = placeOf(address)
    return place !== null && place.port === port && own.has(place.host)
  }
}
