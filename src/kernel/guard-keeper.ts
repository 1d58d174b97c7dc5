import type { InterfaceName } from '../model/address.ts'
import type { Guard } from '../model/guard.ts'
import type { KernelState } from '../model/kernel-state.ts'
import type { Plan, Step } from '../model/step.ts'
import { followAlterations } from './readers/monitor.ts'

/** Puts guards back the moment the kernel tells that one went, as by a reload of the firewall, before anything is observed. */
export interface GuardKeeper {
  /** These guards are there. */
  observed(state: KernelState): void
  /** These steps are about to be applied. */
  applying(plan: Plan): void
  /** A line of `nft monitor`. */
  hear(line: string): void
}

export type GuardStep = Extract<Step, { kind: 'guard.set' }>

/** `restore` applies steps; a failure is not reported, because the next observation finds the guard missing. */
export function createGuardKeeper(restore: (steps: readonly GuardStep[]) => Promise<unknown>): GuardKeeper {
  const kept = new Map<InterfaceName, Guard>()
  const alterations = followAlterations()
  let restoring: Promise<unknown> = Promise.resolve()
  return {
    observed({ segments }) {
      const present = new Set(segments.map(segment => segment.interface))
      for (const device of kept.keys()) if (!present.has(device)) kept.delete(device)
      for (const { interface: device, guard } of segments) if (guard !== null) kept.set(device, guard)
    },
    applying(plan) {
      for (const step of plan) {
        if (step.kind === 'guard.set') kept.set(step.interface, step.guard)
        if (step.kind === 'guard.remove') kept.delete(step.interface)
      }
    },
    hear(line) {
      const steps = alterations(line).flatMap((device): readonly GuardStep[] => {
        const guard = kept.get(device)
        return guard === undefined ? [] : [{ kind: 'guard.set', interface: device, guard }]
      })
      if (steps.length > 0) restoring = restoring.then(() => restore(steps))
    },
  }
}
