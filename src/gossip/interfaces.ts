import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os'
import { type Prefix, parseInterfaceAddress, parseIpAddress, prefixOf } from '../model/address.ts'
import { type Here, mayBeGossipPort, mayBeOnLan, mayLeadTo } from '../model/foreign-address.ts'
import { bootstrapKey, placeOf } from './places.ts'
import type { GossipOptions } from './port.ts'

/** What the judgement of an address depends on. */
export type Addressed = Pick<GossipOptions, 'isInside' | 'port' | 'bootstrap'>

/** Who named an address: the operator of this machine, another node, or whoever answered by multicast on a LAN. */
export type AddressSource = 'operator' | 'node' | 'lan'

/** Whether a multiaddr without names may be dialled, as of now. */
export type Admits = (address: string, source: AddressSource) => boolean

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

/**
 * The one gate for addresses to dial. What the operator wrote leads anywhere but into the mesh and to this node itself;
 * what others named only where another machine may listen for gossip.
 */
export function admission(options: Addressed): Admits {
  const ports = new Set([options.port, ...options.bootstrap.flatMap(place => portOf(bootstrapKey(place)))])
  return (address, source) => {
    const place = placeOf(address)
    const here = hereNow(options)
    if (source === 'operator') {
      if (place === null) return true
      return !options.isInside(place.host) && !leadsHere(address, options)
    }
    const host = place === null ? null : parseIpAddress(place.host)
    if (place === null || host === null || !mayBeGossipPort(place.port, ports)) return false
    return source === 'lan' ? mayBeOnLan(host, here.networks, here) : mayLeadTo(host, here)
  }
}

/** Whether an address leads to this node itself: one of this machine's own, at the port it listens on. */
export function leadsHere(address: string, options: Addressed): boolean {
  const place = placeOf(address)
  return place !== null && place.port === options.port && hereNow(options).addresses.has(place.host)
}

/** Whether an address that was heard in this network may be the one of a node there. */
export function isOnLan(address: string, lan: Prefix, options: Addressed): boolean {
  const host = parseIpAddress(placeOf(address)?.host ?? '')
  return host !== null && mayBeOnLan(host, [lan], hereNow(options)) && admission(options)(address, 'lan')
}

function hereNow({ isInside }: Addressed): Here {
  const interfaces = interfaceAddresses()
  const own = interfaces.map(({ address }) => parseIpAddress(address)).filter(address => address !== null)
  const networks = interfaces
    .filter(({ internal }) => !internal)
    .map(({ cidr }) => parseInterfaceAddress(cidr ?? ''))
    .filter(address => address !== null)
    .map(prefixOf)
  return { addresses: new Set(own), networks, isInside }
}

function portOf(place: string): readonly number[] {
  const port = /(?::|\/tcp\/)(\d{1,5})(?:\/p2p\/[^/]+)?$/.exec(place)?.[1]
  return port === undefined ? [] : [Number(port)]
}
