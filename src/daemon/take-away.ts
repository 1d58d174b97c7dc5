import type { Kernel } from '../kernel/port.ts'
import { diff } from '../mesh/diff.ts'
import { order } from '../mesh/order.ts'
import type { InterfaceName } from '../model/address.ts'
import type { Failure } from '../model/failure.ts'
import { emptyKernelState } from '../model/kernel-state.ts'

/** Takes the whole data plane away. Failures are what could not be. */
export async function takeAway(
  kernel: Pick<Kernel, 'observe' | 'apply'>,
  tunnel: InterfaceName,
): Promise<readonly Failure[]> {
  const observed = await kernel.observe()
  if (!observed.ok) return [observed.failure]
  const steps = order(diff(emptyKernelState, observed.value.state), tunnel)
  return (await kernel.apply(steps)).map(({ failure }) => failure)
}
