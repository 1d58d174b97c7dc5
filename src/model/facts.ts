import type { InterfaceName, IpAddress, Prefix } from './address.ts'
import { ethernetMtuBytes } from './limits.ts'

/** What this machine is on the outside. */
export interface Facts {
  /** Addresses others may reach us at, the likeliest first; never those of our own devices. */
  readonly addresses: readonly UnderlayAddress[]
  /** The MTU of the way out: of the default route's device, else the least of the interfaces. */
  readonly pathMtu: number
  /** Devices of the best default routes, sorted. */
  readonly waysOut: readonly string[]
}

/** Of a machine that could not be looked at yet. */
export const noFacts: Facts = { addresses: [], pathMtu: ethernetMtuBytes, waysOut: [] }

export interface UnderlayAddress {
  readonly address: IpAddress
  /** The network it is in. */
  readonly network: Prefix
  readonly interface: InterfaceName
  readonly kind: DeviceKind
}

/**
 * What a device is for those who want to reach an address on it. `physical`: Ethernet, wireless and PPP, and VLANs,
 * bonds and bridges on them. `virtual`: dummy, veth and others. `container`: a bridge without a physical port.
 * `vpn`: TUN and TAP, WireGuard, VXLAN, GRE and others of a tunnel.
 */
export type DeviceKind = 'physical' | 'virtual' | 'container' | 'vpn'
