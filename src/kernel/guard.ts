import { familyOf, type InterfaceName, parseInterfaceName } from '../model/address.ts'
import type { Guard } from '../model/kernel-state.ts'

const tablePrefix = 'lnet_'

/** The nft table of a segment's guard, and in other families of its flood limit and its watch for loops. Hyphens are allowed in nft names as they are. */
export function guardTable(segment: InterfaceName): string {
  return `${tablePrefix}${segment}`
}

/** Whose a table of this name would be; null when it is none. */
export function segmentOfTable(table: string): InterfaceName | null {
  return table.startsWith(tablePrefix) ? parseInterfaceName(table.slice(tablePrefix.length)) : null
}

/** Takes one of a segment's tables away. Naming it first makes its deletion succeed when it is absent. */
export function tableRemoval(family: 'inet' | 'netdev' | 'bridge', segment: InterfaceName): string {
  const table = `table ${family} ${guardTable(segment)}`
  return `${table}\ndelete ${table}\n`
}

/**
 * The guard, replacing whatever the table held, in one transaction (FACTS-kernel 0 and 10). Received: VXLAN
 * listens on every address, so only the tunnel and this machine itself may speak to it. Sent: without the
 * VTEP route, encapsulated frames would follow the default route in clear. Every packet of the machine meets these
 * rules: the port comes first, which is cheaper to compare than names.
 */
export function guardScript(segment: InterfaceName, guard: Guard): string {
  const { port, tunnel, vteps } = guard
  const ip = familyOf(vteps) === 4 ? 'ip' : 'ip6'
  return `${tableRemoval('inet', segment)}table inet ${guardTable(segment)} {
  chain guard_rx {
    type filter hook prerouting priority raw; policy accept;
    udp dport ${port} iifname != "${tunnel}" iifname != "lo" fib daddr type local counter drop
  }
  chain guard_tx {
    type filter hook output priority raw; policy accept;
    udp dport ${port} oifname != "${tunnel}" ${ip} saddr ${vteps} counter drop
    udp dport ${port} oifname != "${tunnel}" ${ip} daddr ${vteps} counter drop
  }
}
`
}

/** Without counts, one text a line, as the reader of the table makes them. */
export function guardContent({ port, tunnel, vteps }: Guard): readonly string[] {
  const ip = familyOf(vteps) === 4 ? 'ip' : 'ip6'
  const sent = (direction: string) =>
    `rule guard_tx: udp.dport == ${port}, oifname != ${tunnel}, ${ip}.${direction} == ${vteps}, drop`
  return [
    'chain guard_rx: filter prerouting -300 accept',
    'chain guard_tx: filter output -300 accept',
    `rule guard_rx: udp.dport == ${port}, iifname != ${tunnel}, iifname != lo, fib.type.daddr == local, drop`,
    sent('saddr'),
    sent('daddr'),
  ].sort()
}

export function guardRemoval(segment: InterfaceName): string {
  return tableRemoval('inet', segment)
}
