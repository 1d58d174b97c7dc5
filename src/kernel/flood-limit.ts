import type { InterfaceName } from '../model/address.ts'
import { heardMacsMax, heardSeconds, questionFramesPerSecond } from '../model/limits.ts'
import { guardTable, tableRemoval } from './guard.ts'
import { nftName } from './nft-name.ts'
import { takesTable } from './takes-table.ts'

/** Chain of the limit in a table of family `netdev`. */
export const floodChain = 'flood'
/** The MACs that frames came in from. */
const heardSet = 'heard'

const questions = `limit rate ${questionFramesPerSecond}/second burst ${questionFramesPerSecond} packets accept`

/**
 * The flood limit of a segment, replacing whatever the table held. It sees a frame once, before VXLAN copies it to
 * every member (measured). What goes to a machine that was heard passes; to one that was not, VXLAN sends it to
 * everybody, as broadcast and multicast. That is remembered for longer than VXLAN does: who is only ever sent to is
 * not slowed down. ARP and ND have a part of their own before they share what others use, so that a storm of anything
 * else leaves them through. A second's worth may come at once.
 */
export function floodLimitScript(segment: InterfaceName, framesPerSecond: number): string {
  return `${tableRemoval('netdev', segment)}table netdev ${guardTable(segment)} {
  set ${heardSet} {
    type ether_addr
    size ${heardMacsMax}
    flags dynamic,timeout
    timeout ${heardSeconds}s
  }
  chain hear {
    type filter hook ingress device ${nftName(segment)} priority 0; policy accept;
    update @${heardSet} { ether saddr }
  }
  chain ${floodChain} {
    type filter hook egress device ${nftName(segment)} priority 0; policy accept;
    ether daddr & 01:00:00:00:00:00 == 00:00:00:00:00:00 ether daddr @${heardSet} accept
    ether type arp ${questions}
    icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } ${questions}
    limit rate ${framesPerSecond}/second burst ${framesPerSecond} packets accept
    counter drop
  }
}
`
}

export function floodLimitRemoval(segment: InterfaceName): string {
  return tableRemoval('netdev', segment)
}

/** Without counts, one text a line, as the reader of the table makes them. nft 1.0.6 does not tell the device. */
export function floodLimitContent(framesPerSecond: number): readonly string[] {
  const own = `limit ${questionFramesPerSecond}/second burst ${questionFramesPerSecond}, accept`
  return [
    `set ${heardSet}: ether_addr ${heardMacsMax} ${heardSeconds}`,
    'chain hear: filter ingress 0 accept',
    `rule hear: update @${heardSet} ether.saddr`,
    `chain ${floodChain}: filter egress 0 accept`,
    `rule ${floodChain}: ether.daddr & 01:00:00:00:00:00 == 00:00:00:00:00:00, ether.daddr == @${heardSet}, accept`,
    `rule ${floodChain}: ether.type == arp, ${own}`,
    `rule ${floodChain}: icmpv6.type == {nd-neighbor-advert nd-neighbor-solicit}, ${own}`,
    `rule ${floodChain}: limit ${framesPerSecond}/second burst ${framesPerSecond}, accept`,
    `rule ${floodChain}: drop`,
  ].sort()
}

/** Whether this kernel takes such a table. */
export function canLimitFloods(): Promise<boolean> {
  return takesTable(device => floodLimitScript(device, questionFramesPerSecond))
}
