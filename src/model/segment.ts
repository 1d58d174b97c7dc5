import type { InterfaceAddress, IpAddress, MacAddress } from './address.ts'
import { familyOf } from './address.ts'
import type { Brand } from './brand.ts'
import { mtuBytesMax, mtuBytesMin, vniMax } from './limits.ts'

/** VXLAN network identifier, 1 to 2^24 - 1 (RFC 7348). */
export type Vni = Brand<number, 'Vni'>

/** A node's hold on an address. `since` is the author's wall clock when it took the address, in Unix seconds. */
export interface Claim {
  readonly since: number
  /** The operator wrote the address down; it is not given up. */
  readonly pinned: boolean
}

export interface OverlayAddress extends Claim {
  readonly address: InterfaceAddress
}

/** A node's part in one segment, as it announces it. */
export interface SegmentFacts {
  readonly vni: Vni
  /** Null where a static member's is not known. */
  readonly mac: MacAddress | null
  /** Sorted by address. */
  readonly addresses: readonly OverlayAddress[]
}

export function parseVni(value: number): Vni | null {
  return Number.isInteger(value) && value >= 1 && value <= vniMax ? (value as Vni) : null
}

/** WireGuard data message overhead: outer IP and UDP headers, 16 of message header, 16 of tag (whitepaper 5.4.6). */
const wireguardOverheadBytes = { 4: 60, 6: 80 } as const
/** VXLAN overhead: outer IP (20 or 40), UDP 8, VXLAN 8, inner Ethernet 14 (RFC 7348 section 5). */
const vxlanOverheadBytes = { 4: 50, 6: 70 } as const

/** The MTU of the tunnel over a path; 80 bytes of overhead unless every endpoint is IPv4. */
export function tunnelMtu(pathMtuBytes: number, endpointFamily: 4 | 6 = 6): number {
  return clampMtu(pathMtuBytes - wireguardOverheadBytes[endpointFamily])
}

/** The MTU of a segment over a tunnel, by the family of its VTEP addresses. */
export function segmentMtu(tunnelMtuBytes: number, vtep: IpAddress): number {
  return tunnelMtuBytes - vxlanOverheadBytes[familyOf(vtep)]
}

/**
 * One layer-2 segment needs one tunnel MTU: the least of its members', but never so small that the segments over it
 * lose IPv6. On a path that carries less, WireGuard's packets are fragmented: slow is better than broken for all.
 */
export function agreedTunnelMtu(mtusBytes: readonly number[], vtep: IpAddress): number {
  return clampMtu(Math.max(mtuBytesMin + vxlanOverheadBytes[familyOf(vtep)], Math.min(...mtusBytes)))
}

function clampMtu(bytes: number): number {
  return Math.min(mtuBytesMax, Math.max(mtuBytesMin, bytes))
}
