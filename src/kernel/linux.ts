import type { InterfaceName } from '../model/address.ts'
import type { Failure } from '../model/failure.ts'
import type { TunnelImplementation } from '../model/kernel-state.ts'
import type { MeshId } from '../model/node.ts'
import { applyPlan } from './apply.ts'
import { observe, observeReadings } from './observe.ts'
import type { Kernel, TunnelSecrets } from './port.ts'
import { preflight } from './preflight.ts'
import { speak } from './speak.ts'
import { watch } from './watch.ts'

export interface LinuxKernelOptions {
  readonly mesh: MeshId
  readonly tunnel: {
    readonly interface: InterfaceName
    /** Null: the kernel's where it has one, else user space. */
    readonly implementation: TunnelImplementation | null
  }
  readonly secrets: TunnelSecrets
  /** Device names of the configuration: whoever holds one without our mark is reported as foreign. */
  readonly wanted: readonly InterfaceName[]
  /** An event of the glossary with its fields; never a secret. */
  readonly log: (event: string, fields: Readonly<Record<string, string | number | null>>) => void
}

export interface LinuxKernel extends Kernel {
  /** What is missing on this machine, one sentence each with its remedy; empty when nothing is. */
  preflight(): Promise<readonly Failure[]>
}

/** This machine's kernel, by ip, bridge, wg and nft. */
export function createLinuxKernel(options: LinuxKernelOptions): LinuxKernel {
  const { mesh, tunnel, secrets, wanted, log } = options
  const { implementation } = tunnel
  return {
    observe: () => observe({ mesh, tunnel: tunnel.interface, wanted }),
    readings: () => observeReadings(tunnel.interface),
    apply: plan => applyPlan(plan, { mesh, implementation, secrets }),
    watch: listener =>
      watch({
        own: new Set([tunnel.interface, ...wanted]),
        listener,
        onEnded: ({ message, command }) => log('kernel.monitor-ended', { message, command }),
      }),
    speak,
    preflight: () => preflight(implementation),
  }
}
