import type { InterfaceName } from './address.ts'
import type { Brand } from './brand.ts'

/** A link-local address with the device it holds on: `fe80::1%br0`. As the kernel tells it. */
export type LinkPlace = Brand<string, 'LinkPlace'>

/** Of a segment that a cable may make a loop of: probes never pass by it, and by which port one came in is told. */
export interface LoopWatch {
  readonly interface: InterfaceName
  /** Physical ports of its bridge, sorted. None: a watch that somebody altered. */
  readonly ports: readonly InterfaceName[]
}
