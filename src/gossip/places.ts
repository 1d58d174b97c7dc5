import { lookup } from 'node:dns/promises'
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
import { addressesPerPlaceMax, resolveCacheEntriesMax, resolveMillisecondsMax } from '../model/limits.ts'
import { within } from './within.ts'

/** Answers with the addresses of a host name, as of now. Throws when there are none. */
export type Resolve = (host: string) => Promise<readonly string[]>

/** Where a multiaddr leads, when it is one lnet dials. */
export interface Place {
  readonly host: string
  readonly port: number
}

/** getaddrinfo cannot be called off, and a name server that does not answer keeps it for minutes: one at a time a name. */
const asking = new Map<string, Promise<readonly string[]>>()

export const resolveHost: Resolve = host => {
  const answer = asking.get(host) ?? ask(host)
  return within(resolveMillisecondsMax, 'the name server', answer)
}

function ask(host: string): Promise<readonly string[]> {
  if (asking.size >= resolveCacheEntriesMax) throw new Error('too many names wait for the name server')
  const answer = lookup(host, { all: true })
    .then(found => found.map(({ address }) => address))
    .finally(() => asking.delete(host))
  asking.set(host, answer)
  return answer
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

/** The multiaddrs of a place that can be dialled now, names resolved. Throws when a name does not resolve. */
export async function dialableAddresses(
  place: BootstrapPlace | { readonly kind: 'addresses'; readonly addresses: readonly string[] },
  resolve: Resolve,
): Promise<readonly string[]> {
  switch (place.kind) {
    case 'host':
      return multiaddrsOf({ host: hostOf(place.place), port: portOf(place.place) }, resolve)
    case 'multiaddr':
      return dialableAddress(place.multiaddr, resolve)
    case 'addresses': {
      const addresses = place.addresses.slice(0, addressesPerPlaceMax)
      return (await Promise.all(addresses.map(address => dialableAddress(address, resolve)))).flat()
    }
  }
}

export function bootstrapKey(place: BootstrapPlace): string {
  return place.kind === 'host' ? place.place : place.multiaddr
}

/** Other kinds of multiaddr are left to the transport, which knows whether it can dial them. */
async function dialableAddress(address: string, resolve: Resolve): Promise<readonly string[]> {
  const place = placeOf(address)
  return place === null ? [withoutNode(address)] : multiaddrsOf(place, resolve)
}

async function multiaddrsOf(place: Place, resolve: Resolve): Promise<readonly string[]> {
  const { host, port } = place
  const known = parseHostPort(textOf(place))
  const literal = known === null ? null : hostAddress(known)
  const found = literal === null ? await resolve(host) : [literal]
  const addresses = found.map(parseIpAddress).filter(address => address !== null)
  return addresses
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
