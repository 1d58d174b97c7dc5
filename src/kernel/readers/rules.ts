import { type IpAddress, type Port, parseIpAddress, parsePort } from '../../model/address.ts'
import { compareRules, type DetourRule } from '../../model/gateway.ts'
import { detourTable, routeProtocol } from '../mark.ts'
import { type Fields, objects, optionalText } from './fields.ts'

/** Rules of lnet in `ip -json -details rule show`, one document. Throws what `reading` catches. */
export function readRules(document: unknown): readonly DetourRule[] {
  return objects(document, 'rules')
    .filter(fields => fields.protocol === String(routeProtocol))
    .flatMap(rule)
    .sort(compareRules)
}

/** Whoever has a number has ours: what lnet cannot have written is none of its rules. */
function rule(fields: Fields): readonly DetourRule[] {
  const { priority } = fields
  if (!Number.isSafeInteger(priority)) return []
  const protocol = optionalText(fields, 'ipproto')
  return [
    {
      priority: priority as number,
      table: optionalText(fields, 'table') === String(detourTable) ? 'detours' : 'main',
      withoutDefault: fields.suppress_prefixlen === 0,
      from: source(fields),
      protocol: protocol === 'tcp' || protocol === 'udp' ? protocol : null,
      sourcePort: port(fields.sport),
      destinationPort: port(fields.dport),
    },
  ]
}

function source(fields: Fields): IpAddress | null {
  return parseIpAddress(optionalText(fields, 'src') ?? '')
}

function port(value: unknown): Port | null {
  return typeof value === 'number' ? parsePort(value) : null
}
