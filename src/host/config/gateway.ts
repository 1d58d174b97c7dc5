import {
  compareAddresses,
  familyOf,
  type InterfaceName,
  type Prefix,
  parseInterfaceAddress,
  parsePrefix,
  prefixOf,
} from '../../model/address.ts'
import type { Configuration, GatewayConfiguration, RouteAcceptance } from '../../model/configuration.ts'
import { acceptedRoutesMax, gatewayRoutesMax, segmentsPerMemberMax } from '../../model/limits.ts'
import { type MemberReference, parseMemberReference } from '../../model/member-reference.ts'
import type { Fields } from './fields.ts'
import { pool } from './places.ts'
import { flag, interfaceName, type Reader, refuse, text } from './readers.ts'
import type { Report } from './report.ts'

type Parts = Pick<Configuration, 'tunnel' | 'segments' | 'gateway' | 'defaultVia'>

/** Null where there is no such section. */
export function readGateway(root: Fields): GatewayConfiguration | null {
  if (!root.isSection('gateway')) {
    // One that is there and no map is a problem, not none.
    root.section('gateway', () => null)
    return null
  }
  return root.section('gateway', fields => {
    const routes = fields.readList('routes', pool, gatewayRoutesMax) ?? []
    return {
      interface: fields.need('interface', interfaceName) ?? ('' as InterfaceName),
      segments: (fields.readList('segments', interfaceName, segmentsPerMemberMax) ?? []).toSorted(),
      nat: fields.read('nat', flag) ?? true,
      everywhere: fields.read('everywhere', flag) ?? routes.length === 0,
      routes: [...new Set(routes)].sort(compareAddresses),
    }
  })
}

/** A node, or the word for whichever is best. */
export const gatewayReference: Reader<MemberReference | 'auto'> = plain =>
  plain.value === 'auto' ? { value: 'auto' } : memberReference(plain)

/** True: private networks alone. A list: routes within its networks, and every route of its members. */
export function readRouteAcceptance(root: Fields): RouteAcceptance {
  if (!root.isList('accept_routes')) return root.read('accept_routes', flag) === true ? 'private' : 'none'
  const entries = root.readList('accept_routes', networkOrMember, acceptedRoutesMax) ?? []
  return {
    networks: entries.flatMap(entry => (typeof entry === 'string' ? [entry] : [])),
    members: entries.flatMap(entry => (typeof entry === 'string' ? [] : [entry])),
  }
}

const memberReference: Reader<MemberReference> = text(
  "a node's name such as gauss, or its name and id such as gauss/12D3KooW...",
  parseMemberReference,
)

const networkOrMember: Reader<Prefix | MemberReference> = plain => {
  const entry = parsePrefix(plain.text) ?? parseMemberReference(plain.text)
  if (entry !== null && typeof plain.value !== 'boolean') return { value: entry }
  const address = parseInterfaceAddress(plain.text)
  return address === null
    ? refuse('a network such as 10.20.0.0/16, or a node such as gauss or gauss/12D3KooW...', plain)
    : { problem: `has host bits: the network of ${address} is ${prefixOf(address)}` }
}

/** Holds the gateway against the rest of the file. */
export function checkGateway({ tunnel, segments, gateway, defaultVia }: Parts, report: Report): void {
  if (gateway === null || report.isBroken('gateway', 'segments')) return
  if (gateway.segments.length === 0)
    report.add('gateway.segments', 'is missing', {
      remedy: 'list the interfaces of the segments whose packets are taken',
    })
  for (const name of gateway.segments) {
    const segment = segments.find(each => each.interface === name)
    if (segment === undefined)
      report.add('gateway.segments', `there is no segment ${name}`, { remedy: 'name one of this file' })
    else if (segment.prefixes.every(prefix => familyOf(prefix) === 6))
      report.add('gateway.segments', `${name} has no IPv4 network, and a gateway is for IPv4 alone`)
  }
  const inside = [tunnel.interface, ...segments.flatMap(each => [each.interface, each.bridge?.name])]
  if (inside.includes(gateway.interface))
    report.add('gateway.interface', `${gateway.interface} is inside the mesh`, {
      remedy: 'name the one that leads outside',
    })
  for (const route of gateway.routes)
    if (familyOf(route) === 6) report.add('gateway.routes', `${route} is not IPv4`)
  if (!gateway.everywhere && gateway.routes.length === 0)
    report.add('gateway.routes', 'is missing', {
      why: 'this gateway would lead nowhere',
      remedy: 'list its networks',
    })
  // Two that send each other's packets back would be a loop.
  if (defaultVia !== null && gateway.everywhere)
    report.add('default_via', 'cannot stand beside a gateway to everywhere', {
      why: 'packets would go in circles',
      remedy: 'keep one of the two',
    })
}
