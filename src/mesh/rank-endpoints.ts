import {
  type Endpoint,
  familyOf,
  type HostPort,
  hostAddress,
  type IpAddress,
  type Prefix,
  prefixContains,
} from '../model/address.ts'
import type { EndpointCandidate, EndpointKind } from '../model/announcement.ts'
import { type Here, mayLeadTo } from '../model/foreign-address.ts'
import { resolvedEndpointsMax } from '../model/limits.ts'

/** What this machine knows of the networks it can reach directly. */
export interface Surroundings {
  /** Our own underlay addresses. */
  readonly addresses: readonly IpAddress[]
  /** The networks of LANs they are in. */
  readonly networks: readonly Prefix[]
  /** The networks of other VPNs they are in. */
  readonly vpns: readonly Prefix[]
  /** Networks inside the mesh: the tunnel's and the segments'. Nothing in them is an endpoint. */
  readonly inside: readonly Prefix[]
}

/** The endpoints of a name now; empty while it is not resolved. */
export type Resolved = (place: HostPort) => readonly Endpoint[]
/** The same for many members: names are looked up for each author in turn. */
export type ResolvedFor = (place: HostPort, author: string) => readonly Endpoint[]

/**
 * Usable endpoints, best first: on a LAN of ours, then as the author ordered them; those by another VPN, and those of a
 * family we have no address of, come last. Never our own address, never one inside the mesh, never one that is nobody's.
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
      const rank = families.has(familyOf(address)) ? rankOf(address, kind, surroundings) : unreachableRank
      return [{ endpoint, rank }]
    })
  ranked.sort((a, b) => a.rank - b.rank)
  return [...new Set(ranked.map(({ endpoint }) => endpoint))]
}

const kindRank = { configured: 1, public: 2, lan: 3 } as const
/** A tunnel in a tunnel: left to those who have no other path. */
const vpnRank = 4
const unreachableRank = 5

function rankOf(address: IpAddress, kind: EndpointKind, { networks, vpns }: Surroundings): number {
  if (networks.some(network => prefixContains(network, address))) return 0
  return vpns.some(network => prefixContains(network, address)) ? vpnRank : kindRank[kind]
}

function endpointsOf(place: HostPort, resolved: Resolved): readonly Endpoint[] {
  if (hostAddress(place) !== null) return [place as string as Endpoint]
  return resolved(place).slice(0, resolvedEndpointsMax)
}

/** Neither our own address nor one inside the mesh, nor one that nobody can be at. */
export function isUsable(address: IpAddress, surroundings: Surroundings): boolean {
  return mayLeadTo(address, hereOf(surroundings))
}

function hereOf({ addresses, networks, vpns, inside }: Surroundings): Here {
  return {
    addresses: new Set<string>(addresses),
    networks: [...networks, ...vpns],
    isInside: address => inside.some(prefix => prefixContains(prefix, address)),
  }
}
