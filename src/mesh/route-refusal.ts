import {
  addressOf,
  familyOf,
  hostAddress,
  type IpAddress,
  lengthOf,
  type Prefix,
  prefixContains,
  prefixesOverlap,
} from '../model/address.ts'
import { scopeOf } from '../model/scope.ts'
import { segmentPrefixes, tunnelPrefix } from './claims.ts'
import type { WaysSituation } from './ways.ts'

/** What may stand in the way of a route that is offered. */
type Surroundings = Pick<
  WaysSituation,
  'configuration' | 'mesh' | 'members' | 'tracks' | 'evidence' | 'facts' | 'networks'
>

/** Shorter ones are half the world: that is what `default_via` is for. */
const routeLengthMin = 8

/** Why an offered route is not taken: it would lead the mesh's own packets astray; null when it may be. */
export function routeRefusal(prefix: Prefix, surroundings: Surroundings): string | null {
  const { configuration, mesh, facts, networks } = surroundings
  if (lengthOf(prefix) < routeLengthMin) return 'it is too large: use default_via for a way to everywhere'
  if (!['global', 'private'].includes(scopeOf(addressOf(prefix)))) return 'its addresses are not for routes'
  const taken = [
    { what: 'the tunnel', network: tunnelPrefix(configuration.tunnel, mesh) },
    ...configuration.segments.flatMap(segment =>
      segmentPrefixes(segment, mesh).map(network => ({ what: segment.interface, network })),
    ),
    ...facts.addresses.map(address => ({ what: address.interface, network: address.network })),
    ...networks.map(({ device, network }) => ({ what: device, network })),
  ]
  const overlapped = taken.find(({ network }) => overlaps(network, prefix))
  if (overlapped !== undefined) return `it overlaps ${overlapped.network} of ${overlapped.what}`
  const endpoint = endpointsOf(surroundings).find(({ address }) => prefixContains(prefix, address))
  return endpoint === undefined ? null : `${endpoint.name} is reached at ${endpoint.address}, which is in it`
}

function overlaps(a: Prefix, b: Prefix): boolean {
  return familyOf(a) === familyOf(b) && prefixesOverlap(a, b)
}

/** Where members were last heard from, on the underlay. Where they say to be would let anyone refuse a route. */
function endpointsOf({
  members,
  tracks,
  evidence,
}: Surroundings): readonly { name: string; address: IpAddress }[] {
  return members.flatMap(member => {
    const { name, publicKey } = member.announcement
    const place = evidence.isProven(member) ? (tracks.get(publicKey)?.aliveEndpoint ?? null) : null
    const address = place === null ? null : hostAddress(place)
    return address === null || familyOf(address) === 6 ? [] : [{ name, address }]
  })
}
