import {
  compareAddresses,
  compareText,
  hostPrefix,
  type Prefix,
  parseInterfaceName,
  parseIpAddress,
  parsePrefix,
} from '../../model/address.ts'
import type { Detour } from '../../model/gateway.ts'
import type { Route } from '../../model/kernel-state.ts'
import { detourTable, routeMetric } from '../mark.ts'
import { type Fields, objects, optionalText } from './fields.ts'

/** The routes of `ip -json -details route show table all proto 201`, one document. Throws what `reading` catches. */
export function readRoutes(document: unknown): readonly Route[] {
  const routes = objects(document, 'routes').flatMap(route)
  const distinct = new Map(routes.map(item => [`${item.prefix} ${item.device} ${item.metric}`, item]))
  return [...distinct.values()].sort(
    (a, b) =>
      compareAddresses(a.prefix, b.prefix) ||
      compareText(a.device ?? '', b.device ?? '') ||
      (a.metric ?? -1) - (b.metric ?? -1),
  )
}

/** Of the same document, those of lnet's own table. */
export function readDetours(document: unknown): readonly Detour[] {
  const detours = objects(document, 'routes').flatMap((fields): Detour[] => {
    const prefix = prefixOf(fields)
    const via = parseIpAddress(optionalText(fields, 'gateway') ?? '')
    const device = parseInterfaceName(optionalText(fields, 'dev') ?? '')
    const isOurs = optionalText(fields, 'table') === String(detourTable)
    return isOurs && prefix !== null && via !== null && device !== null ? [{ prefix, via, device }] : []
  })
  return detours.sort((a, b) => compareAddresses(a.prefix, b.prefix))
}

/** Only what lnet can have written: unicast by a device, or unreachable, in the main table. */
function route(fields: Fields): readonly Route[] {
  const prefix = prefixOf(fields)
  if ((optionalText(fields, 'table') ?? 'main') !== 'main' || prefix === null) return []
  const type = optionalText(fields, 'type') ?? 'unicast'
  if (type === 'unreachable') return [{ prefix, device: null }]
  const device = parseInterfaceName(optionalText(fields, 'dev') ?? '')
  if (type !== 'unicast' || device === null) return []
  // IPv4's default metric is 0, which is not written.
  const metric = Number.isSafeInteger(fields.metric) ? Number(fields.metric) : 0
  return [metric === routeMetric ? { prefix, device } : { prefix, device, metric }]
}

/** iproute2 leaves the length of host routes out, and writes `default` for both families. Null: of no family of IP. */
export function prefixOf(fields: Fields): Prefix | null {
  const written = optionalText(fields, 'dst') ?? ''
  if (written === 'default') return (fields.pref === undefined ? '0.0.0.0/0' : '::/0') as Prefix
  const host = parseIpAddress(written)
  if (host !== null) return hostPrefix(host)
  return parsePrefix(written)
}
