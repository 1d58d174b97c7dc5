import {
  addressOf,
  type InterfaceName,
  type IpAddress,
  parseInterfaceAddress,
  prefixOf,
} from '../model/address.ts'
import type { DeviceKind, Facts, UnderlayAddress } from '../model/facts.ts'
import { ethernetMtuBytes } from '../model/limits.ts'
import { scopeOf } from '../model/scope.ts'
import { type DefaultRoute, likeliestFirst } from './address-order.ts'

/** What the system says, in its own texts; read by `facts.ts`. */
export interface UnderlayTexts {
  /** By interface; only interfaces that are up. */
  readonly addresses: readonly InterfaceText[]
  /** /proc/net/route, /proc/net/ipv6_route, /proc/net/if_inet6. Empty where there is none. */
  readonly route: string
  readonly ipv6Route: string
  readonly ifInet6: string
  /** MTU by interface, bytes. */
  readonly mtus: ReadonlyMap<string, number>
  /** By interface. */
  readonly kinds: ReadonlyMap<string, DeviceKind>
  /** Addresses of this machine that its gossip connections use. */
  readonly inUse: ReadonlySet<IpAddress>
}

export interface InterfaceText {
  readonly interface: string
  /** `192.0.2.1/24` */
  readonly cidr: string
}

/**
 * Addresses others may reach us at, the likeliest first, and the MTU of the way out. `ours`: devices of the mesh itself.
 */
export function findFacts(texts: UnderlayTexts, ours: ReadonlySet<InterfaceName>): Facts {
  const isOurs = (device: string) => ours.has(device as InterfaceName)
  const unfit = unfitIpv6(texts.ifInet6)
  const addresses = texts.addresses.flatMap(({ interface: device, cidr }): UnderlayAddress[] => {
    const parsed = parseInterfaceAddress(cidr)
    if (parsed === null || isOurs(device)) return []
    const address = addressOf(parsed)
    const scope = scopeOf(address)
    if ((scope !== 'global' && scope !== 'private') || unfit.has(address)) return []
    const kind = texts.kinds.get(device) ?? 'physical'
    return [{ address, network: prefixOf(parsed), interface: device as InterfaceName, kind }]
  })
  const routes = defaultRoutes(texts.route, texts.ipv6Route).filter(({ device }) => !isOurs(device))
  const waysOut = bestDevices(routes)
  const devices = waysOut.length > 0 ? waysOut : addresses.filter(isLocal).map(address => address.interface)
  return {
    addresses: likeliestFirst(addresses, routes, texts.inUse),
    pathMtu: leastMtu(devices, texts.mtus),
    waysOut: [...new Set(waysOut)].sort(),
  }
}

/** A tunnel's MTU is that of whatever it is tunnelled through. */
function isLocal({ kind }: UnderlayAddress): boolean {
  return kind !== 'vpn'
}

/** The devices of the best default routes, IPv4's and IPv6's. */
export function defaultRouteDevices(route: string, ipv6Route: string): readonly string[] {
  return bestDevices(defaultRoutes(route, ipv6Route))
}

/** linux/if_addr.h: temporary (privacy) addresses change, the others are not in use yet or any more. */
const addressFlags = { temporary: 0x01, failed: 0x08, deprecated: 0x20, tentative: 0x40 } as const
const unfitFlags = Object.values(addressFlags).reduce<number>((mask, flag) => mask | flag, 0)
/** linux/route.h and linux/ipv6_route.h: RTF_UP, RTF_REJECT. */
const routeFlags = { up: 0x0001, reject: 0x0200 } as const

function defaultRoutes(route: string, ipv6Route: string): readonly DefaultRoute[] {
  return [...ipv4Defaults(route), ...ipv6Defaults(ipv6Route)]
}

/** Columns: interface, destination, gateway, flags, references, use, metric, mask (proc_net(5)). */
function ipv4Defaults(text: string): readonly DefaultRoute[] {
  return rowsOf(text).flatMap(([device = '', destination, , flags = '', , , metric = '', mask]) =>
    destination === '00000000' && mask === '00000000' && isUsable(flags)
      ? [{ family: 4, device, metric: Number(metric) }]
      : [],
  )
}

/** Columns: destination, its length, source, its length, next hop, metric, references, use, flags, interface; hexadecimal. */
function ipv6Defaults(text: string): readonly DefaultRoute[] {
  return rowsOf(text).flatMap(([destination, length, , , , metric = '', , , flags = '', device = '']) =>
    destination === '0'.repeat(32) && length === '00' && isUsable(flags)
      ? [{ family: 6, device, metric: Number.parseInt(metric, 16) }]
      : [],
  )
}

function isUsable(flags: string): boolean {
  const bits = Number.parseInt(flags, 16)
  return (bits & routeFlags.up) !== 0 && (bits & routeFlags.reject) === 0
}

function bestDevices(routes: readonly DefaultRoute[]): readonly string[] {
  const best = routes.filter(({ family, metric }) =>
    routes.every(other => other.family !== family || other.metric >= metric),
  )
  return best.map(({ device }) => device)
}

/** Columns: address, interface number, length, scope, flags, interface; hexadecimal. */
function unfitIpv6(text: string): ReadonlySet<string> {
  const rows = rowsOf(text).filter(([, , , , flags = '']) => (Number.parseInt(flags, 16) & unfitFlags) !== 0)
  return new Set(
    rows.flatMap(([hex = '']) => {
      const parsed = parseInterfaceAddress(`${hex.replaceAll(/(.{4})(?=.)/g, '$1:')}/128`)
      return parsed === null ? [] : [addressOf(parsed)]
    }),
  )
}

function leastMtu(devices: readonly string[], mtus: ReadonlyMap<string, number>): number {
  const known = devices.flatMap(device => mtus.get(device) ?? [])
  return known.length === 0 ? ethernetMtuBytes : Math.min(...known)
}

function rowsOf(text: string): readonly (readonly string[])[] {
  return text.split('\n').map(line => line.trim().split(/\s+/))
}
