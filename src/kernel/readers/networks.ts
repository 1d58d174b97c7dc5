import {
  addressOf,
  compareAddresses,
  compareText,
  familyOf,
  hostPrefix,
  lengthOf,
  prefixOf as networkOf,
  type Prefix,
  parseInterfaceAddress,
  parseIpAddress,
} from '../../model/address.ts'
import type { ForeignNetwork } from '../../model/foreign-network.ts'
import { scopeOf } from '../../model/scope.ts'
import { printable } from '../foreign.ts'
import { addressMetric, routeProtocol } from '../mark.ts'
import { type Fields, objects, optionalFields, optionalText, texts } from './fields.ts'
import { prefixOf } from './routes.ts'

/**
 * What is shorter leads to a part of everything, as the halves of a default route do (0.0.0.0/1) and what is kept for a
 * whole kind of addresses (2000::/3, fc00::/7): it is no network of its own.
 */
const networkLengthMin = { 4: 8, 6: 16 } as const

/**
 * The networks this machine has by devices that are not ours, sorted, from documents of `ip -json -details address show`
 * and `ip -json -details route show`. Whatever is not understood is passed over.
 */
export function readNetworks(
  links: unknown,
  routes: readonly unknown[],
  mark: string,
): readonly ForeignNetwork[] {
  const devices = objects(links, 'links')
  const ours = new Set(
    devices.filter(fields => optionalText(fields, 'ifalias') === mark).map(fields => fields.ifname),
  )
  const all = [
    ...devices.filter(({ ifname }) => !ours.has(ifname)).flatMap(ofLink),
    ...routes.flatMap(document => objects(document, 'routes').flatMap(fields => ofRoute(fields, ours))),
  ]
  const distinct = new Map(all.map(network => [JSON.stringify(network), network]))
  return [...distinct.values()].filter(isNetwork).sort(compareNetworks)
}

/** Of a device that is up. On bridges those that lnet put there are its own. */
function ofLink(fields: Fields): readonly ForeignNetwork[] {
  const device = printable(optionalText(fields, 'ifname') ?? '')
  if (!texts(fields.flags).includes('UP') || !Array.isArray(fields.addr_info)) return []
  return objects(fields.addr_info, 'addresses')
    .filter(({ metric }) => metric !== addressMetric)
    .flatMap(found => {
      const local = parseIpAddress(optionalText(found, 'local') ?? '')
      if (local === null) return []
      // With a peer, as point-to-point devices have one, the network is the peer's.
      const peer = optionalText(found, 'address')
      const written = parseInterfaceAddress(`${peer ?? local}/${found.prefixlen}`)
      const own = { network: hostPrefix(local), device, address: local, isRouted: false }
      if (written === null) return [own]
      const network = { ...own, network: networkOf(written), address: peer === null ? local : null }
      return peer === null ? [network] : [own, network]
    })
}

/** Of the main table: what leads somewhere, and is neither ours nor by a device of ours. */
function ofRoute(fields: Fields, ours: ReadonlySet<unknown>): readonly ForeignNetwork[] {
  const type = optionalText(fields, 'type') ?? 'unicast'
  const isMain = (optionalText(fields, 'table') ?? 'main') === 'main'
  const network = prefixOf(fields)
  if (type !== 'unicast' || !isMain || network === null) return []
  if (String(fields.protocol) === String(routeProtocol)) return []
  const hops = Array.isArray(fields.nexthops) ? fields.nexthops.map(optionalFields) : [fields]
  const hop = hops.find(({ dev }) => !ours.has(dev))
  if (hop === undefined) return []
  const isRouted = hop.gateway !== undefined || hop.via !== undefined
  return [{ network, device: printable(optionalText(hop, 'dev') ?? '?'), address: null, isRouted }]
}

function isNetwork({ network }: ForeignNetwork): boolean {
  const scope = scopeOf(addressOf(network))
  return (
    lengthOf(network) >= networkLengthMin[familyOf(network)] && (scope === 'global' || scope === 'private')
  )
}

/** Networks with an address of this machine first, then those on the link: the first is what a problem names. */
function compareNetworks(a: ForeignNetwork, b: ForeignNetwork): number {
  return (
    Number(a.address === null) - Number(b.address === null) ||
    Number(a.isRouted) - Number(b.isRouted) ||
    compareAddresses(a.network, b.network) ||
    compareText(`${a.device} ${a.address}`, `${b.device} ${b.address}`)
  )
}

/** What `ip` is asked for, one document each: routes of the main table inside a network, and routes around it. */
export function routeListings(networks: readonly Prefix[]): readonly string[] {
  return networks.flatMap(network =>
    ['root', 'match'].map(which => `route show table all ${which} ${network}\n`),
  )
}
