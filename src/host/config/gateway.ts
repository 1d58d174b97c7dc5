import { compareAddresses, familyOf, type InterfaceName } from '../../model/address.ts'
import type { Configuration, GatewayConfiguration } from '../../model/configuration.ts'
import { gatewayRoutesMax, segmentsPerMemberMax } from '../../model/limits.ts'
import type { NodeName } from '../../model/node.ts'
import type { Fields } from './fields.ts'
import { pool } from './places.ts'
import { flag, interfaceName, nodeName, type Reader } from './readers.ts'
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

/** A node's name, or the word for whichever is best. */
export const gatewayName: Reader<NodeName | 'auto'> = plain =>
  plain.value === 'auto' ? { value: 'auto' } : nodeName(plain)

/** Holds the gateway against the rest of the file. */
export function checkGateway({ tunnel, segments, gateway, defaultVia }: Parts, report: Report): void {
  if (gateway === null || report.isBroken('gateway', 'segments')) return
  if (gateway.segments.length === 0)
    report.add('gateway.segments', 'is missing: the interfaces of the segments whose packets are taken')
  for (const name of gateway.segments) {
    const segment = segments.find(each => each.interface === name)
    if (segment === undefined)
      report.add('gateway.segments', `there is no segment ${name}: name one of this file`)
    else if (segment.prefixes.every(prefix => familyOf(prefix) === 6))
      report.add('gateway.segments', `${name} has no IPv4 network, and a gateway is for IPv4 alone`)
  }
  const inside = [tunnel.interface, ...segments.flatMap(each => [each.interface, each.bridge?.name])]
  if (inside.includes(gateway.interface))
    report.add(
      'gateway.interface',
      `${gateway.interface} is inside the mesh: name the one that leads outside`,
    )
  for (const route of gateway.routes)
    if (familyOf(route) === 6) report.add('gateway.routes', `${route} is not IPv4`)
  if (!gateway.everywhere && gateway.routes.length === 0)
    report.add('gateway.routes', 'is missing: a gateway to nowhere')
  // Two that send each other's packets back would be a loop.
  if (defaultVia !== null && gateway.everywhere)
    report.add('default_via', 'cannot stand beside a gateway to everywhere: packets would go in circles')
}
