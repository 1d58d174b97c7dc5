import type { InterfaceName } from '../model/address.ts'
import { questionFramesPerSecond } from '../model/limits.ts'
import { guardTable } from './guard.ts'
import { execute } from './run.ts'

/** Chain of the limit in a table of family `netdev`. */
export const floodChain = 'flood'

const questions = `limit rate ${questionFramesPerSecond}/second burst ${questionFramesPerSecond} packets accept`

/**
 * The flood limit of a segment, replacing whatever the table held. It sees a frame once, before VXLAN copies it to
 * every member (measured). By the destination only broadcast and multicast are told: unicast that VXLAN does not know
 * the place of looks like any other here, and is not limited. ARP and ND have a part of their own before they share
 * what others use, so that a storm of anything else leaves them through. A second's worth may come at once.
 */
export function floodLimitScript(segment: InterfaceName, framesPerSecond: number): string {
  return `${removal(segment)}
table netdev ${guardTable(segment)} {
  chain ${floodChain} {
    type filter hook egress device "${segment}" priority 0; policy accept;
    ether daddr & 01:00:00:00:00:00 == 00:00:00:00:00:00 accept
    ether type arp ${questions}
    icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } ${questions}
    limit rate ${framesPerSecond}/second burst ${framesPerSecond} packets accept
    counter drop
  }
}
`
}

export function floodLimitRemoval(segment: InterfaceName): string {
  return `${removal(segment)}\n`
}

/** Without counts, one text a line, as the reader of the table makes them. nft 1.0.6 does not tell the device. */
export function floodLimitContent(framesPerSecond: number): readonly string[] {
  const own = `limit ${questionFramesPerSecond}/second burst ${questionFramesPerSecond}, accept`
  return [
    `chain ${floodChain}: filter egress 0 accept`,
    `rule ${floodChain}: ether.daddr & 01:00:00:00:00:00 == 00:00:00:00:00:00, accept`,
    `rule ${floodChain}: ether.type == arp, ${own}`,
    `rule ${floodChain}: icmpv6.type == {nd-neighbor-advert nd-neighbor-solicit}, ${own}`,
    `rule ${floodChain}: limit ${framesPerSecond}/second burst ${framesPerSecond}, accept`,
    `rule ${floodChain}: drop`,
  ].sort()
}

/** Whether this kernel takes such a table: the whole of one is tried on `lo`, and nothing is left of it. */
export async function canLimitFloods(): Promise<boolean> {
  const input = floodLimitScript('lo' as InterfaceName, questionFramesPerSecond)
  const { failure } = await execute({ tool: 'nft', arguments: ['--check', '--file', '-'], input })
  return failure === null
}

/** Naming the table first makes its deletion succeed when it is absent. */
function removal(segment: InterfaceName): string {
  const table = `table netdev ${guardTable(segment)}`
  return `${table}\ndelete ${table}`
}
