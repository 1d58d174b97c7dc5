import { diff } from '../mesh/diff.ts'
import { order } from '../mesh/order.ts'
import type { KernelState } from '../model/kernel-state.ts'
import { describePlan } from './log-fields.ts'
import type { DaemonParts } from './parts.ts'

/** Tells what of the kernel changed and was not us: the steps that lead back to where it had settled. */
export function logDrift(log: DaemonParts['log'], settled: KernelState | null, observed: KernelState): void {
  if (settled === null) return
  const steps = order(diff(withRoaming(settled, observed), observed), settled.tunnel?.interface ?? null)
  if (steps.length > 0) log.warn('kernel.drift', { repairs: describePlan(steps) })
}

/** Where WireGuard roamed to is its own business, never drift. */
function withRoaming(settled: KernelState, observed: KernelState): KernelState {
  if (settled.tunnel === null || observed.tunnel === null) return settled
  const seen = new Map(observed.tunnel.peers.map(peer => [peer.publicKey, peer.endpoint]))
  const peers = settled.tunnel.peers.map(peer => ({
    ...peer,
    endpoint: seen.get(peer.publicKey) ?? peer.endpoint,
  }))
  return { ...settled, tunnel: { ...settled.tunnel, peers } }
}
