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

/** After the devices of default routes and the addresses that gossip uses. */
const kindRank: { readonly [Kind in DeviceKind]: number } = { physical: 2, virtual: 3, container: 4, vpn: 5 }

/**
 * Where others are likeliest to reach this machine, first: on the devices of default routes, by metric; where gossip
 * connections are; on physical devices; on virtual ones; on those of VPNs. Every device has its turn before one has its
 * second address. Private addresses of containers' bridges are behind this machine, and the same on many: they are left
 * out where there is anything better.
 */
export function likeliestFirst(
  addresses: readonly UnderlayAddress[],
  routes: readonly DefaultRoute[],
  inUse: ReadonlySet<IpAddress>,
): readonly UnderlayAddress[] {
  const turns = turnsOf(addresses)
  const hasBetter = addresses.some(({ kind }) => kind === 'physical' || kind === 'virtual')
  const ordered = addresses
    .filter(address => address.kind !== 'container' || !hasBetter || isPrivate(address) === 0)
    .map(address => ({
      address,
      order: [...rankOf(address, routes, inUse), turns.get(address) ?? 0, isPrivate(address)],
    }))
  ordered.sort(
    (a, b) => compareOrders(a.order, b.order) || compareAddresses(a.address.address, b.address.address),
  )
  return ordered.map(({ address }) => address)
}

/** How many addresses of its family its device has before each. */
function turnsOf(addresses: readonly UnderlayAddress[]): ReadonlyMap<UnderlayAddress, number> {
  const seen = new Map<string, number>()
  return new Map(
    addresses.map(address => {
      const device = `${address.interface} ${familyOf(address.address)}`
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
