import type { Detour, DetourRule } from '../model/gateway.ts'
import { detourTable, routeProtocol } from './mark.ts'

/** As `ip route` takes it. `onlink`: the gateway is in the segment, whatever routes say. */
export function detourText({ prefix, via, device }: Detour): string {
  return `${prefix} via ${via} dev ${device} onlink proto ${routeProtocol} table ${detourTable}`
}

/** As `ip rule` takes it. */
export function ruleText(rule: DetourRule): string {
  const { priority, table, withoutDefault, from, protocol, sourcePort, destinationPort } = rule
  return [
    `priority ${priority}`,
    ...(from === null ? [] : [`from ${from}`]),
    ...(protocol === null ? [] : [`ipproto ${protocol}`]),
    ...(sourcePort === null ? [] : [`sport ${sourcePort}`]),
    ...(destinationPort === null ? [] : [`dport ${destinationPort}`]),
    `lookup ${table === 'main' ? 'main' : detourTable}`,
    ...(withoutDefault ? ['suppress_prefixlength 0'] : []),
    `protocol ${routeProtocol}`,
  ].join(' ')
}
