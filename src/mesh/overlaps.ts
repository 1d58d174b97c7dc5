import { type InterfaceName, lengthOf, type Prefix, prefixesOverlap } from '../model/address.ts'
import type { Configuration } from '../model/configuration.ts'
import type { ForeignNetwork, Overlap } from '../model/foreign-network.ts'
import type { Observation } from '../model/kernel-state.ts'
import type { MeshId } from '../model/node.ts'
import { segmentPrefixes, tunnelPrefix } from './claims.ts'
import type { Situation } from './decide.ts'
import type { Surroundings } from './rank-endpoints.ts'

/** The networks of the mesh, each with what it is for. */
export function meshNetworks(
  { tunnel, segments }: Configuration,
  mesh: MeshId,
): readonly { readonly prefix: Prefix; readonly interface: InterfaceName; readonly bridge: string | null }[] {
  return [
    { prefix: tunnelPrefix(tunnel, mesh), interface: tunnel.interface, bridge: null },
    ...segments.flatMap(segment =>
      segmentPrefixes(segment, mesh).map(prefix => ({
        prefix,
        interface: segment.interface,
        bridge: segment.bridge?.name ?? null,
      })),
    ),
  ]
}

/**
 * Networks of the mesh whose addresses this machine uses otherwise: its LAN's, its containers', another VPN's. What the
 * operator has on a segment's own bridge is the same network, and overlaps nothing.
 */
export function findOverlaps(
  configuration: Configuration,
  mesh: MeshId,
  { networks, state }: Pick<Observation, 'networks' | 'state'>,
): readonly Overlap[] {
  const present = new Set(state.routes.flatMap(({ prefix, device }) => (device === null ? [] : [prefix])))
  return meshNetworks(configuration, mesh).flatMap(({ prefix, interface: device, bridge }) => {
    const foreign = networks.filter(each => each.device !== bridge && prefixesOverlap(each.network, prefix))
    const isMinor = (each: ForeignNetwork) => present.has(prefix) && isAggregateOf(each, prefix)
    const worst = foreign.find(each => !isMinor(each)) ?? foreign[0]
    return worst === undefined ? [] : [{ prefix, interface: device, foreign: worst, isKept: isMinor(worst) }]
  })
}

/** The networks lnet keeps away from: without an address, a route or a neighbour of its own in them. */
export function refusedPrefixes(overlaps: readonly Overlap[]): ReadonlySet<Prefix> {
  return new Set(overlaps.flatMap(({ prefix, isKept }) => (isKept ? [] : [prefix])))
}

/** What this machine knows of networks. Where it is in one with the mesh's addresses, they are not the mesh's here. */
export function surroundingsOf({ configuration, mesh, facts, observation }: Situation): Surroundings {
  const refused = refusedPrefixes(findOverlaps(configuration, mesh, observation))
  return {
    addresses: facts.addresses.map(({ address }) => address),
    networks: facts.addresses.filter(({ kind }) => kind !== 'vpn').map(({ network }) => network),
    vpns: facts.addresses.filter(({ kind }) => kind === 'vpn').map(({ network }) => network),
    inside: meshNetworks(configuration, mesh).flatMap(({ prefix }) => (refused.has(prefix) ? [] : [prefix])),
  }
}

/** A larger network behind a router, as VPNs and sites announce: it goes on, less the part that is the mesh's. */
function isAggregateOf({ network, isRouted }: ForeignNetwork, prefix: Prefix): boolean {
  return isRouted && lengthOf(network) < lengthOf(prefix)
}
