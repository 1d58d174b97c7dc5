import type { RemoteInfo } from 'node:dgram'
import makeMulticast, { type MulticastDNS } from 'multicast-dns'
import {
  addressOf,
  type InterfaceAddress,
  parseInterfaceAddress,
  parseIpAddress,
  prefixContains,
  prefixOf,
} from '../model/address.ts'
import { multicastInterfacesMax } from '../model/limits.ts'
import { interfaceAddresses } from './interfaces.ts'
import { modestSocket } from './multicast-socket.ts'
import type { GossipOptions } from './port.ts'

/** Null: this machine has no socket for it now. The other LANs go on, and the next scan tries again. */
export function openMulticast(address: InterfaceAddress, now: () => number): MulticastDNS | null {
  try {
    return makeMulticast({ interface: addressOf(address), bind: '0.0.0.0', socket: modestSocket(now) })
  } catch {
    return null
  }
}

/** Every socket hears the multicast of every LAN: it is taken from the one it came by. */
export function isOn(lan: InterfaceAddress, from: RemoteInfo): boolean {
  const address = parseIpAddress(from.address)
  return address !== null && prefixContains(prefixOf(lan), address)
}

/** This machine's IPv4 addresses on LANs outside the mesh. */
export function lanAddresses({ isInside }: Pick<GossipOptions, 'isInside'>): ReadonlySet<InterfaceAddress> {
  const lans = interfaceAddresses()
    .filter(({ family, internal, cidr }) => family === 'IPv4' && !internal && cidr !== null)
    .map(({ cidr }) => parseInterfaceAddress(cidr as string))
    .filter(address => address !== null && !isInside(addressOf(address)))
  return new Set(lans.slice(0, multicastInterfacesMax) as InterfaceAddress[])
}
