import {
  addressOf,
  compareAddresses,
  familyOf,
  ipAddressBytes,
  lengthOf,
  type Prefix,
  parsePrefix,
} from '../model/address.ts'
import type { Configuration } from '../model/configuration.ts'
import type { GatewayOffer } from '../model/gateway.ts'
import { gatewayRoutesMax, segmentsPerMemberMax } from '../model/limits.ts'
import { readBoolean, readInteger, readList } from './cbor.ts'

/** What this node offers as a gateway; null when it is none. */
export function gatewayOffer({ gateway, segments }: Configuration): GatewayOffer | null {
  if (gateway === null) return null
  const inOrder = segments.toSorted((a, b) => a.vni - b.vni)
  return {
    everywhere: gateway.everywhere,
    segments: inOrder.flatMap((segment, index) =>
      gateway.segments.includes(segment.interface) ? [index] : [],
    ),
    routes: gateway.routes,
  }
}

/** In an announcement: whether everywhere, places in the list of segments, and five bytes a route. */
export function encodeGateway({ everywhere, segments, routes }: GatewayOffer): readonly unknown[] {
  return [everywhere, segments, Uint8Array.from(routes.flatMap(routeBytes))]
}

/** `undefined` is what nodes say that are no gateway; null: malformed or over the limits. */
export function readGateway(
  value: unknown,
  segmentCount: number,
): { readonly offer: GatewayOffer | null } | null {
  if (value === undefined) return { offer: null }
  if (!Array.isArray(value)) return null
  const everywhere = readBoolean(value[0])
  const segments = readList(value[1], readInteger)
  const routes = readRoutes(value[2])
  if (everywhere === null || segments === null || routes === null) return null
  const isAscending = segments.every((place, index) => index === 0 || (segments[index - 1] as number) < place)
  const inList = segments.length <= segmentsPerMemberMax && segments.every(place => place < segmentCount)
  return isAscending && inList ? { offer: { everywhere, segments, routes } } : null
}

function routeBytes(prefix: Prefix): readonly number[] {
  return [...ipAddressBytes(addressOf(prefix)), lengthOf(prefix)]
}

function readRoutes(value: unknown): readonly Prefix[] | null {
  if (!(value instanceof Uint8Array) || value.length % 5 !== 0 || value.length > gatewayRoutesMax * 5)
    return null
  const routes: Prefix[] = []
  for (let start = 0; start < value.length; start += 5) {
    const text = `${value.subarray(start, start + 4).join('.')}/${value[start + 4]}`
    const prefix = parsePrefix(text)
    const last = routes.at(-1)
    if (prefix !== text || familyOf(prefix) !== 4) return null
    if (last !== undefined && compareAddresses(last, prefix) >= 0) return null
    routes.push(prefix)
  }
  return routes
}
