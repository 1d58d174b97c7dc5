import type { InterfaceName, IpAddress, Port, Prefix } from './address.ts'
import { compareText } from './address.ts'

/** What a gateway tells the mesh of itself: IPv4 alone. */
export interface GatewayOffer {
  /** It is a way to everywhere. */
  readonly everywhere: boolean
  /** Which of its segments it takes packets from: places in the list it announces, ascending. */
  readonly segments: readonly number[]
  /** Networks behind it, sorted. */
  readonly routes: readonly Prefix[]
}

/** This machine as a gateway: what comes from the sources may leave by the interface, and its answers come back. */
export interface GatewayState {
  readonly interface: InterfaceName
  /** What leaves bears this machine's own address. */
  readonly nat: boolean
  /** Sorted by device, then network. */
  readonly sources: readonly GatewaySource[]
  /** Devices that forwarded nothing before, sorted: theirs is switched off again. */
  readonly borrowed: readonly InterfaceName[]
  /** Every device concerned forwards IPv4. */
  readonly forwards: boolean
}

export interface GatewaySource {
  /** What bears the addresses of the segment: its own device, or its bridge. */
  readonly device: InterfaceName
  readonly network: Prefix
}

/** A route by a gateway, in a routing table of lnet's own. */
export interface Detour {
  readonly prefix: Prefix
  readonly via: IpAddress
  readonly device: InterfaceName
}

/**
 * Which routing table is asked, one rule after the other by priority (ip-rule(8)). `main`: the machine's own; a rule
 * without a condition holds for all packets.
 */
export interface DetourRule {
  readonly priority: number
  readonly table: 'main' | 'detours'
  /** Default routes of the table do not count. */
  readonly withoutDefault: boolean
  readonly from: IpAddress | null
  readonly protocol: 'tcp' | 'udp' | null
  readonly sourcePort: Port | null
  readonly destinationPort: Port | null
}

/** How a gateway answers when it is asked, once a second. */
export interface GatewayAnswers {
  /** Smoothed round trip, milliseconds; null when it never answered, as behind a firewall that drops ICMP. */
  readonly milliseconds: number | null
  /** Questions without an answer since the last one. */
  readonly misses: number
}

/** An offered route that is not taken, and why. */
export interface RefusedRoute {
  readonly prefix: Prefix
  readonly reason: string
}

/** By priority, then text: the order of desired and observed states. */
export function compareRules(a: DetourRule, b: DetourRule): number {
  return a.priority - b.priority || compareText(JSON.stringify(a), JSON.stringify(b))
}
