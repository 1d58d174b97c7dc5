import {
  type Endpoint,
  hostAddress,
  hostOf,
  parseEndpoint,
  parseHostPort,
  parseIpAddress,
  portOf,
} from '../model/address.ts'
import type { BootstrapPlace } from '../model/configuration.ts'
import { addressesPerPlaceMax } from '../model/limits.ts'

/** Answers with the addresses of a host name, as of now; `author` is who named it. Throws when there are none. */
export type Resolve = (host: string, author: string) => Promise<readonly string[]>

/** Where a multiaddr leads, when it is one lnet dials. */
export interface Place {
  readonly host: string
  readonly port: number
}

/** The host and TCP port of a multiaddr, a node id at its end or not; null for every other kind of address. */
export function placeOf(address: string): Place | null {
  const match = /^\/(ip4|ip6|dns|dns4|dns6)\/([^/]+)\/tcp\/(\d{1,5})(?:\/p2p\/[^/]+)?$/.exec(address)
  if (match === null) return null
  const [, kind, text, port] = match as unknown as [string, string, string, string]
  if (kind.startsWith('dns')) {
    const place = parseHostPort(`${text}:${port}`)
    return place === null ? null : { host: hostOf(place), port: portOf(place) }
  }
  const host = parseIpAddress(text)
  const inRange = Number(port) >= 1 && Number(port) <= 65_535
  return host === null || !inRange || host.includes(':') !== (kind === 'ip6')
    ? null
    : { host, port: Number(port) }
}

/** Where a multiaddr leads as WireGuard writes it; null for names and every other kind of address. */
export function endpointOf(address: string): Endpoint | null {
  const place = placeOf(address)
  return place === null ? null : parseEndpoint(textOf(place))
}

/** The multiaddrs of a bootstrap place that can be dialled now. Rejects when its name does not resolve. */
export function bootstrapAddresses(place: BootstrapPlace, resolve: Resolve): Promise<readonly string[]> {
  if (place.kind === 'multiaddr') return dialableAddresses(place.multiaddr, place.multiaddr, resolve)
  return multiaddrsOf({ host: hostOf(place.place), port: portOf(place.place) }, place.place, resolve)
}

/** The multiaddrs that an announced one leads to now, without its node id. Rejects when its name does not resolve. */
export async function dialableAddresses(
  address: string,
  author: string,
  resolve: Resolve,
): Promise<readonly string[]> {
  const place = placeOf(address)
  return place === null ? [withoutNode(address)] : multiaddrsOf(place, author, resolve)
}

export function bootstrapKey(place: BootstrapPlace): string {
  return place.kind === 'host' ? place.place : place.multiaddr
}

async function multiaddrsOf(place: Place, author: string, resolve: Resolve): Promise<readonly string[]> {
  const { host, port } = place
  const known = parseHostPort(textOf(place))
  const literal = known === null ? null : hostAddress(known)
  const found = literal === null ? await resolve(host, author) : [literal]
  return found
    .map(parseIpAddress)
    .filter(address => address !== null)
    .slice(0, addressesPerPlaceMax)
    .map(address => `/${address.includes(':') ? 'ip6' : 'ip4'}/${address}/tcp/${port}`)
}

/** `host:port`, `[v6]:port` */
function textOf({ host, port }: Place): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/** Without the node id: whoever answers there proves who it is, and addresses can be tried at the same time. */
export function withoutNode(address: string): string {
  return address.replace(/\/p2p\/[^/]+$/, '')
}
