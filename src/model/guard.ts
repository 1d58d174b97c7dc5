import type { InterfaceName, IpAddress, Port, Prefix } from './address.ts'

/** VXLAN of `port` is taken only from the tunnel, and leaves from or to the VTEP prefix only by it. */
export interface Guard {
  readonly port: Port
  readonly tunnel: InterfaceName
  readonly vteps: Prefix
  /** What enters the tunnel comes from a privileged port: the device's own, and no user's. */
  readonly privileged: boolean
  /** VTEPs whose VXLAN is also accepted from other source ports, sorted; null: that of all is. */
  readonly exempt: readonly IpAddress[] | null
}
