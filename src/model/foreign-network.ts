import type { InterfaceName, IpAddress, Prefix } from './address.ts'

/** A network that this machine is in, or has a route to, by a device that is not lnet's. Default routes are none. */
export interface ForeignNetwork {
  readonly network: Prefix
  /** Anybody's name, printable. */
  readonly device: string
  /** This machine's own address in it; null where a route alone leads there. */
  readonly address: IpAddress | null
  /** Reached by a router: none of its hosts is on the link. */
  readonly isRouted: boolean
}

/** A network of the mesh that lnet keeps away from, because this machine has another use of its addresses. */
export interface Overlap {
  readonly prefix: Prefix
  /** What it is for: the tunnel, or a segment. */
  readonly interface: InterfaceName
  readonly foreign: ForeignNetwork
  /** Only shown: the mesh's network was there first, and takes nothing but a part of a router's aggregate. */
  readonly isKept: boolean
}
