import {
  type Endpoint,
  familyOf,
  type HostPort,
  hostAddress,
  type IpAddress,
  type Prefix,
  prefixContains,
} from '../model/address.ts'
import type { EndpointCandidate } from '../model/announcement.ts'
import { type Here, mayLeadTo } from '../model/foreign-address.ts'
import { resolvedEndpointsMax } from '../model/limits.ts'

/** What this machine knows of the networks it can reach directly. */
export interface Surroundings {
  /** Our own underlay addresses. */
  readonly addresses: readonly IpAddress[]
  /** The networks they are in. */
  readonly networks: readonly Prefix[]
  /** Networks inside the mesh: the tunnel's and the segments'. Nothing in them is an endpoint. */
  readonly inside: readonly Prefix[]
}

/** The endpoints of a name now; empty while it is not resolved. */
export type Resolved = (place: HostPort) => readonly Endpoint[]
/** The same for many members: names are looked up for each author in turn. */
export type ResolvedFor = (place: HostPort, author: string) => readonly Endpoint[]

/**
 * Usable endpoints, best first: on a LAN of ours, then as the author ordered them; those of a family we have no
 * address of come last. Never our own address, never an address inside the mesh, never one that is nobody's.
 */
export function rankEndpoints(
  candidates: readonly EndpointCandidate[],
  resolved: Resolved,
  surroundings: Surroundings,
): readonly Endpoint[] {
  const families = new Set(surroundings.addresses.map(familyOf))
  const here = hereOf(surroundings)
  const ranked = candidates
    .flatMap(({ place, kind }) => endpointsOf(place, resolved).map(endpoint => ({ endpoint, kind })))
    .flatMap(({ endpoint, kind }) => {
      const address = hostAddress(endpoint)
      if (address === null || !mayLeadTo(address, here)) return []
      const onLan = surroundings.networks.some(network => prefixContains(network, address))
      const rank = families.has(familyOf(address)) ? (onLan ? 0 : kindRank[kind]) : unreachableRank
      return [{ endpoint, rank }]
    })
  ranked.sort((a, b) => a.rank - b.rank)
  return [...new Set(ranked.map(({ endpoint }) => endpoint))]
}

const kindRank = { configured: 1, public: 2, lan: 3 } as const
const unreachableRank = 4

function endpointsOf(place: HostPort, resolved: Resolved): readonly Endpoint[] {
  if (hostAddress(place) !== null) return [place as string as Endpoint]
  return resolved(place).slice(0, resolvedEndpointsMax)
}

function hereOf({ addresses, networks, inside }: Surroundings): Here {
  return {
    addresses: new Set<string>(addresses),
    networks,
    isInside: address => inside.some(prefix => prefixContains(prefix, address)),
  }
}
