import type { InterfaceName, Port } from '../model/address.ts'
import type { Guard } from '../model/guard.ts'
import type { SegmentState } from '../model/kernel-state.ts'
import type { Step } from '../model/step.ts'

/** `anyPort`: VXLAN ports on which a device is kept that sends from any source port. */
export function diffGuard(
  desired: SegmentState,
  observed: SegmentState,
  anyPort: ReadonlySet<Port>,
): readonly Step[] {
  const guard = guardFor(desired, anyPort)
  return guard === null || sameGuard(guard, observed.guard)
    ? []
    : [{ kind: 'guard.set', interface: desired.interface, guard }]
}

/** VXLAN ports of devices that are kept and send from any source port. */
export function anySourcePort(
  desired: readonly SegmentState[],
  observed: ReadonlyMap<InterfaceName, SegmentState>,
): ReadonlySet<Port> {
  return new Set(
    desired.flatMap(segment => {
      const current = observed.get(segment.interface)
      return current !== undefined && canBecome(current, segment) && !current.privileged ? [current.port] : []
    }),
  )
}

/** Port, VNI, lower device and family are fixed when a VXLAN device is made. */
export function canBecome(observed: SegmentState, desired: SegmentState): boolean {
  return (
    observed.vni === desired.vni &&
    observed.port === desired.port &&
    observed.lower === desired.lower &&
    observed.local.includes(':') === desired.local.includes(':')
  )
}

/**
 * A device of a former version sends from any source port until it is re-created. It is not cut off meanwhile, also not
 * by the guard of another segment with its VXLAN port: a guard sees ports, and no segments.
 */
function guardFor({ guard }: SegmentState, anyPort: ReadonlySet<Port>): Guard | null {
  return guard === null ? null : { ...guard, privileged: guard.privileged && !anyPort.has(guard.port) }
}

function sameGuard(a: Guard, b: Guard | null): boolean {
  return (
    b !== null &&
    a.port === b.port &&
    a.tunnel === b.tunnel &&
    a.vteps === b.vteps &&
    a.privileged === b.privileged &&
    a.exempt?.join() === b.exempt?.join()
  )
}
