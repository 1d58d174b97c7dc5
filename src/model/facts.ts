import type { InterfaceName, IpAddress, Prefix } from './address.ts'
import { ethernetMtuBytes } from './limits.ts'

/** What this machine is on the outside. */
export interface Facts {
  /** Addresses others may reach us at, sorted; never those of our own devices. */
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
}
