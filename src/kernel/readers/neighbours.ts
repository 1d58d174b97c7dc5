import {
  compareAddresses,
  type InterfaceName,
  type IpAddress,
  parseIpAddress,
  parseMacAddress,
} from '../../model/address.ts'
import type { NeighbourEntry } from '../../model/kernel-state.ts'
import { scopeOf } from '../../model/scope.ts'
import { routeProtocol } from '../mark.ts'
import { type Fields, objects, optionalText, texts } from './fields.ts'
import { remembered } from './remembered.ts'

/**
 * The permanent ARP and ND entries of some devices, sorted by address, from one document of `ip -json neigh show`; of
 * `shared` devices only those that carry lnet's protocol. Throws what `reading` catches.
 */
export function readNeighbours(
  document: unknown,
  devices: ReadonlySet<InterfaceName>,
  shared: ReadonlySet<InterfaceName> = new Set(),
): ReadonlyMap<InterfaceName, readonly NeighbourEntry[]> {
  const found = new Map([...devices, ...shared].map(device => [device, [] as NeighbourEntry[]]))
  for (const fields of objects(document, 'neighbours')) {
    const list = found.get((optionalText(fields, 'dev') ?? '') as InterfaceName)
    const isTheirs =
      shared.has(fields.dev as InterfaceName) && String(fields.protocol) !== String(routeProtocol)
    const entry = list === undefined || isTheirs ? null : permanent(fields)
    if (list !== undefined && entry !== null) list.push(entry)
  }
  for (const list of found.values()) list.sort((a, b) => compareAddresses(a.address, b.address))
  return found
}

/** Null for what the kernel found out itself, and for multicast, whose MACs are group addresses. */
function permanent(fields: Fields): NeighbourEntry | null {
  if (!texts(fields.state).includes('PERMANENT')) return null
  const address = usableAddress(optionalText(fields, 'dst') ?? '')
  const mac = parseMacAddress(optionalText(fields, 'lladdr') ?? '')
  return address === null || mac === null ? null : { address, mac }
}

const usableAddress = remembered((written): IpAddress | null => {
  const address = parseIpAddress(written)
  return address === null || scopeOf(address) === 'unusable' ? null : address
})
