import { familyOf, hostOf, type Port, parseHostPort, parseIpAddress, parsePort } from './address.ts'
import type { BootstrapPlace } from './configuration.ts'
import { gossipAddressCharactersMax } from './limits.ts'
import { parseNodeId } from './node.ts'

/** A host with its port or the given one, or a TCP multiaddr. Null when the text is neither. */
export function parseBootstrapPlace(text: string, defaultPort?: Port): BootstrapPlace | null {
  if (text.startsWith('/')) return isTcpMultiaddr(text) ? { kind: 'multiaddr', multiaddr: text } : null
  const place = parseHostPort(text, defaultPort)
  return place === null ? null : { kind: 'host', place }
}

export function formatBootstrapPlace(place: BootstrapPlace): string {
  return place.kind === 'host' ? place.place : place.multiaddr
}

/** The host name or address of a place. */
export function bootstrapHost(place: BootstrapPlace): string {
  return place.kind === 'host' ? hostOf(place.place) : (place.multiaddr.split('/')[2] ?? '').toLowerCase()
}

function isTcpMultiaddr(text: string): boolean {
  if (text.length > gossipAddressCharactersMax) return false
  const match = /^\/(ip4|ip6|dns|dns4|dns6)\/([^/]+)\/tcp\/(\d{1,5})(?:\/p2p\/([^/]+))?$/.exec(text)
  if (match === null) return false
  const [, protocol, host = '', port, node] = match
  if (parsePort(Number(port)) === null) return false
  if (node !== undefined && parseNodeId(node) === null) return false
  const address = parseIpAddress(host)
  if (protocol === 'ip4' || protocol === 'ip6')
    return address !== null && `ip${familyOf(address)}` === protocol
  return address === null && parseHostPort(`${host}:1`) !== null
}
