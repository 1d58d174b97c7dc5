import {
  type Endpoint,
  endpoint,
  familyOf,
  type HostPort,
  hostAddress,
  hostOf,
  type Port,
} from '../model/address.ts'
import type { EndpointCandidate } from '../model/announcement.ts'
import type { Configuration } from '../model/configuration.ts'
import type { Facts } from '../model/facts.ts'
import {
  endpointsBytesMax,
  endpointsPerMemberMax,
  gossipAddressCharactersMax,
  gossipAddressesBytesMax,
  gossipAddressesPerMemberMax,
} from '../model/limits.ts'
import { scopeOf } from '../model/scope.ts'
import { offeredAddresses } from './offered-addresses.ts'

/** Where the tunnel can be reached: as configured, then as found, the likeliest first; as many as an announcement has room for. */
export function tunnelEndpoints(configuration: Configuration, facts: Facts): readonly EndpointCandidate[] {
  const { port, endpoints } = configuration.tunnel
  const configured = endpoints.map((place): EndpointCandidate => ({ place, kind: 'configured' }))
  const found = offeredAddresses(facts).map(({ address }): EndpointCandidate => {
    const kind = scopeOf(address) === 'global' ? 'public' : 'lan'
    return { place: endpoint(address, port) as string as HostPort, kind }
  })
  const known = new Set<HostPort>()
  const distinct = [...configured, ...found].filter(({ place }) => !known.has(place) && known.add(place))
  return firstThatFit(distinct, ({ place }) => announcedEndpointBytes(place), endpointsBytesMax).slice(
    0,
    endpointsPerMemberMax,
  )
}

/** Where gossip can be reached, as multiaddrs: a machine that is reached at a name for the tunnel is reached there, too. */
export function gossipAddresses(configuration: Configuration, facts: Facts): readonly string[] {
  const { port } = configuration.gossip
  const configured = configuration.tunnel.endpoints.map(place => multiaddr(place, port))
  const found = offeredAddresses(facts).map(({ address }) => multiaddr(endpoint(address, port), port))
  const short = [...new Set([...configured, ...found])].filter(
    address => address.length <= gossipAddressCharactersMax,
  )
  return firstThatFit(short, address => address.length + 2, gossipAddressesBytesMax).slice(
    0,
    gossipAddressesPerMemberMax,
  )
}

/** The text in CBOR with its kind. */
function announcedEndpointBytes(place: HostPort): number {
  return place.length + 5
}

function multiaddr(place: HostPort | Endpoint, port: Port): string {
  const address = hostAddress(place)
  const protocol = address === null ? 'dns' : `ip${familyOf(address)}`
  return `/${protocol}/${hostOf(place)}/tcp/${port}`
}

/** From the best on, without those that do not fit any more. */
function firstThatFit<Item>(
  items: readonly Item[],
  bytesOf: (item: Item) => number,
  bytesMax: number,
): readonly Item[] {
  let bytes = 0
  return items.filter(item => {
    if (bytes + bytesOf(item) > bytesMax) return false
    bytes += bytesOf(item)
    return true
  })
}
