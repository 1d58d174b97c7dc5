import {
  type Endpoint,
  familyOf,
  type HostPort,
  hostAddress,
  lengthOf,
  type Port,
  type Prefix,
  parseEndpoint,
  parseHostPort,
  parseInterfaceAddress,
  parsePrefix,
  portOf,
  prefixOf,
} from '../../model/address.ts'
import { parseBootstrapPlace } from '../../model/bootstrap.ts'
import type { BootstrapPlace } from '../../model/configuration.ts'
import {
  ipv4PoolLengthMax,
  ipv4PoolLengthMin,
  ipv6PrefixLengthMax,
  ipv6PrefixLengthMin,
} from '../../model/limits.ts'
import { scopeOf } from '../../model/scope.ts'
import { type Reader, refuse, text } from './readers.ts'

/** A host with a port of its own or the given one. */
export function hostPort(defaultPort: Port): Reader<HostPort> {
  return text('a host, host:port or [IPv6]:port', value => parseHostPort(value, defaultPort))
}

/** A host as above, or a TCP multiaddr. */
export function bootstrapPlace(defaultPort: Port): Reader<BootstrapPlace> {
  return text('a host, host:port, [IPv6]:port or a multiaddr such as /ip4/203.0.113.7/tcp/51821', value =>
    parseBootstrapPlace(value, defaultPort),
  )
}

/** A loopback address with its port, or null for the word `off`: whoever reaches the place reads what is served there. */
export function metricsPlace(gossipPort: Port): Reader<Endpoint | null> {
  return plain => {
    if (plain.value === 'off') return { value: null }
    const place = parseEndpoint(plain.text)
    const address = place === null ? null : hostAddress(place)
    if (place === null || address === null || scopeOf(address) !== 'loopback')
      return refuse('off or a loopback address with its port, such as 127.0.0.1:51822', plain)
    return portOf(place) === gossipPort
      ? { problem: `has gossip's port, ${gossipPort}: set another one` }
      : { value: place }
  }
}

/** A network nodes can take addresses from. Says which one was meant when an address of it was written. */
export const pool: Reader<Prefix> = plain => {
  const prefix = parsePrefix(plain.text)
  if (prefix === null) {
    const address = parseInterfaceAddress(plain.text)
    return address === null
      ? refuse('a network such as 192.168.102.0/24', plain)
      : { problem: `has host bits: the network of ${address} is ${prefixOf(address)}` }
  }
  const length = lengthOf(prefix)
  if (familyOf(prefix) === 6)
    return length > ipv6PrefixLengthMax || length < ipv6PrefixLengthMin
      ? refuse(
          `an IPv6 network of /${ipv6PrefixLengthMin} to /${ipv6PrefixLengthMax}: the rest is the node's own`,
          plain,
        )
      : { value: prefix }
  if (length > ipv4PoolLengthMax)
    return refuse(`an IPv4 network of /${ipv4PoolLengthMax} or shorter: this is too small for a mesh`, plain)
  return length < ipv4PoolLengthMin
    ? refuse(`an IPv4 network of /${ipv4PoolLengthMin} or longer`, plain)
    : { value: prefix }
}
