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
import { detourTable } from '../mark.ts'
import { type Fields, objects, optionalText, text, unreadable } from './fields.ts'

/** The routes of `ip -json -details route show table all proto 201`, one document. Throws what `reading` catches. */
export function readRoutes(document: unknown): readonly Route[] {
  const routes = objects(document, 'routes').flatMap((fields, index) => route(fields, `routes[${index}]`))
  const distinct = new Map(routes.map(item => [`${item.prefix} ${item.device}`, item]))
  return [...distinct.values()].sort(
    (a, b) => compareAddresses(a.prefix, b.prefix) || compareText(a.device ?? '', b.device ?? ''),
  )
}

/** Of the same document, those of lnet's own table. */
export function readDetours(document: unknown): readonly Detour[] {
  const detours = objects(document, 'routes').flatMap((fields, index): Detour[] => {
    const via = parseIpAddress(optionalText(fields, 'gateway') ?? '')
    const device = parseInterfaceName(optionalText(fields, 'dev') ?? '')
    if (optionalText(fields, 'table') !== String(detourTable) || via === null || device === null) return []
    return [{ prefix: prefixOf(fields, `routes[${index}]`), via, device }]
  })
  return detours.sort((a, b) => compareAddresses(a.prefix, b.prefix))
}

/** Only what lnet can have written: unicast by a device, or unreachable, in the main table. */
function route(fields: Fields, place: string): readonly Route[] {
  if ((optionalText(fields, 'table') ?? 'main') !== 'main') return []
  const prefix = prefixOf(fields, place)
  const type = optionalText(fields, 'type') ?? 'unicast'
  if (type === 'unreachable') return [{ prefix, device: null }]
  const device = parseInterfaceName(optionalText(fields, 'dev') ?? '')
  return type === 'unicast' && device !== null ? [{ prefix, device }] : []
}

/** iproute2 leaves the length of host routes out, and writes `default` for both families. */
function prefixOf(fields: Fields, place: string): Prefix {
  const written = text(fields, 'dst', place)
  if (written === 'default') return (fields.pref === undefined ? '0.0.0.0/0' : '::/0') as Prefix
  const host = parseIpAddress(written)
  if (host !== null) return hostPrefix(host)
  return parsePrefix(written) ?? unreadable(`${place} has no valid destination`)
}
