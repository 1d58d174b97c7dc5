import { compareAddresses, familyOf, type IpAddress } from '../model/address.ts'
import type { DeviceKind, UnderlayAddress } from '../model/facts.ts'
import { scopeOf } from '../model/scope.ts'

/** A usable default route of the main table. */
export interface DefaultRoute {
  readonly family: 4 | 6
  readonly device: string
  /** The lower one is used. */
  readonly metric: number
}

/** Addresses of a device in one network that are offered: whoever reaches one of them reaches the others. */
const addressesPerNetworkMax = 2
/** Addresses of VPNs that are offered: those who are in the same VPN need one, all others none. */
const vpnAddressesMax = 4

/** After the devices of default routes and the addresses that gossip uses. */
const kindRank: { readonly [Kind in DeviceKind]: number } = { physical: 2, virtual: 3, container: 4, vpn: 5 }

/**
 * Where others are likeliest to reach this machine, first: on the devices of default routes, by metric; where gossip
 * connections are; on physical devices; on virtual ones; on those of VPNs. Every device has its turn before one has its
 * second address, and of one network there are two, so that forty addresses of one device do not hide that of another.
 * Private addresses of containers' bridges are behind this machine, and the same on many: they are left out where there
 * is anything better.
 */
export function likeliestFirst(
  addresses: readonly UnderlayAddress[],
  routes: readonly DefaultRoute[],
  inUse: ReadonlySet<IpAddress>,
): readonly UnderlayAddress[] {
  const isBetter = ({ kind }: UnderlayAddress) => kind === 'physical' || kind === 'virtual'
  const turns = countBefore(addresses, address => familyOf(address.address))
  const inNetwork = countBefore(addresses, ({ network }) => network)
  const hasBetter = addresses.some(isBetter)
  const isOffered = (address: UnderlayAddress) =>
    (address.kind !== 'container' || !hasBetter || isPrivate(address) === 0) &&
    (inNetwork.get(address) ?? 0) < addressesPerNetworkMax
  const ordered = addresses.filter(isOffered).map(address => ({
    address,
    order: [...rankOf(address, routes, inUse), turns.get(address) ?? 0, isPrivate(address)],
  }))
  ordered.sort(
    (a, b) => compareOrders(a.order, b.order) || compareAddresses(a.address.address, b.address.address),
  )
  return withFewOfVpns(ordered.map(({ address }) => address))
}

/** How many addresses of the same kind its device has before each. */
function countBefore(
  addresses: readonly UnderlayAddress[],
  kindOf: (address: UnderlayAddress) => unknown,
): ReadonlyMap<UnderlayAddress, number> {
  const seen = new Map<string, number>()
  return new Map(
    addresses.map(address => {
      const device = `${address.interface} ${kindOf(address)}`
      const turn = seen.get(device) ?? 0
      seen.set(device, turn + 1)
      return [address, turn]
    }),
  )
}

function rankOf(
  { address, interface: device, kind }: UnderlayAddress,
  routes: readonly DefaultRoute[],
  inUse: ReadonlySet<IpAddress>,
): readonly [number, number] {
  // A default route into a VPN leads out of it, but nobody in by it.
  if (kind === 'vpn') return [kindRank.vpn, 0]
  const places = routes.filter(route => route.device === device).map(route => placeOf(route, routes))
  if (places.length > 0) return [0, Math.min(...places)]
  return [inUse.has(address) ? 1 : kindRank[kind], 0]
}

/** How many routes of its family come before it. */
function placeOf({ family, metric }: DefaultRoute, routes: readonly DefaultRoute[]): number {
  return routes.filter(other => other.family === family && other.metric < metric).length
}

function isPrivate({ address }: UnderlayAddress): number {
  return Number(scopeOf(address) !== 'global')
}

function compareOrders(a: readonly number[], b: readonly number[]): number {
  const index = a.findIndex((value, at) => value !== b[at])
  return index < 0 ? 0 : (a[index] as number) - (b[index] as number)
}

function withFewOfVpns(addresses: readonly UnderlayAddress[]): readonly UnderlayAddress[] {
  const vpns = addresses.filter(({ kind }) => kind === 'vpn').slice(0, vpnAddressesMax)
  return addresses.filter(address => address.kind !== 'vpn' || vpns.includes(address))
}
