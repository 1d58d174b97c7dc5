import type { InterfaceName } from '../model/address.ts'
import { loopProbePort } from '../model/limits.ts'
import type { LoopWatch } from '../model/loop-watch.ts'
import { guardTable, tableRemoval } from './guard.ts'
import { nftName } from './nft-name.ts'
import { takesTable } from './takes-table.ts'

/** Every node of a link (RFC 4291 section 2.7.1): bridges and switches send it everywhere, whoever asked for it. */
export const allNodes = 'ff02::1'

const probes = `ip6 daddr ${allNodes} udp dport ${loopProbePort}`

/**
 * The watch of a segment, replacing whatever the table held. Probes do not leave by the segment. One that came in by
 * the nth physical port gets the nth source port after its own, which a socket sees. What comes with such a port
 * already is a forgery, which is looked for where no other segment's watch can have set it. Without the table no probe
 * is taken for one from outside: then no loop is seen, but none is imagined either.
 */
export function loopWatchScript({ interface: segment, ports }: LoopWatch): string {
  const marks = ports.map(
    (port, index) => `    iifname ${nftName(port)} ${probes} udp sport set ${loopProbePort + 1 + index}\n`,
  )
  return `${tableRemoval('bridge', segment)}table bridge ${guardTable(segment)} {
  chain forged {
    type filter hook prerouting priority 0; policy accept;
    ${probes} udp sport != ${loopProbePort} drop
  }
  chain watch {
    type filter hook input priority 0; policy accept;
${marks.join('')}  }
  chain fence {
    type filter hook postrouting priority 0; policy accept;
    oifname ${nftName(segment)} ${probes} drop
  }
}
`
}

export function loopWatchRemoval(segment: InterfaceName): string {
  return tableRemoval('bridge', segment)
}

/** One text a line, as the reader of the table makes them. */
export function loopWatchContent({ interface: segment, ports }: LoopWatch): readonly string[] {
  const probe = `ip6.daddr == ${allNodes}/128, udp.dport == ${loopProbePort}`
  return [
    'chain forged: filter prerouting 0 accept',
    'chain watch: filter input 0 accept',
    'chain fence: filter postrouting 0 accept',
    `rule forged: ${probe}, udp.sport != ${loopProbePort}, drop`,
    ...ports.map(
      (port, index) => `rule watch: iifname == ${port}, ${probe}, set udp.sport ${loopProbePort + 1 + index}`,
    ),
    `rule fence: oifname == ${segment}, ${probe}, drop`,
  ].sort()
}

/** Whether this kernel takes such a table. */
export function canWatchLoops(): Promise<boolean> {
  return takesTable(device => loopWatchScript({ interface: device, ports: [device] }))
}
