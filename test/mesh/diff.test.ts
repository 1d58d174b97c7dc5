import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { diff } from '../../src/mesh/diff.ts'
import { order } from '../../src/mesh/order.ts'
import { emptyKernelState, type KernelState } from '../../src/model/kernel-state.ts'
import type { Plan } from '../../src/model/step.ts'
import { freeze, type KernelDraft, thaw } from '../fake/kernel-draft.ts'
import { applyStep } from '../fake/kernel-steps.ts'
import { desirable, observable } from './kernel-states.ts'

const runs = { numRuns: 500 }

describe('a plan', () => {
  it('is empty where nothing is to do', () => {
    fc.assert(
      fc.property(desirable, state => diff(state, structuredClone(state)).length === 0),
      runs,
    )
  })

  it('makes what should be of what is, without a step that fails', () => {
    fc.assert(
      fc.property(desirable, observable, (desired, observed) => {
        const { draft, refusals } = apply(planOf(desired, observed), observed)
        expect(refusals).toEqual([])
        expect(freeze(draft)).toEqual(desired)
        expect([...draft.guards.keys()].sort()).toEqual(desired.segments.map(each => each.interface))
      }),
      runs,
    )
  })

  it('takes everything away, guards and all', () => {
    fc.assert(
      fc.property(observable, observed => {
        const { draft } = apply(planOf(emptyKernelState, observed), observed)
        expect(freeze(draft)).toEqual(emptyKernelState)
        expect(draft.guards.size + draft.limits.size).toBe(0)
      }),
    )
  })

  it('is the same for the same steps, in whatever order they were found', () => {
    fc.assert(
      fc.property(desirable, observable, fc.infiniteStream(fc.nat()), (desired, observed, keys) => {
        const steps = diff(desired, observed)
        const shuffled = steps
          .map(step => ({ step, key: keys.next().value as number }))
          .sort((a, b) => a.key - b.key)
          .map(({ step }) => step)
        const tunnel = desired.tunnel?.interface ?? null
        expect(order(shuffled, tunnel)).toEqual(order(steps, tunnel))
      }),
    )
  })

  it('adds before it removes, but for devices that are made anew', () => {
    fc.assert(
      fc.property(desirable, observable, (desired, observed) => {
        const kinds = planOf(desired, observed).map(({ kind }) => kind)
        const rest = kinds.filter(kind => kind !== 'tunnel.remove' && kind !== 'segment.remove')
        const firstRemoval = rest.findIndex(kind => kind.endsWith('.remove'))
        const after = firstRemoval < 0 ? [] : rest.slice(firstRemoval)
        expect(after.filter(kind => !kind.endsWith('.remove'))).toEqual([])
      }),
      runs,
    )
  })

  it('never leaves a segment unguarded that it keeps, nor brings one up that it makes', () => {
    fc.assert(
      fc.property(desirable, observable, (desired, observed) => {
        const draft = thaw(observed)
        const guardedBefore = new Set(draft.guards.keys())
        const made = new Set<string>()
        for (const step of planOf(desired, observed)) {
          applyStep(draft, step, bridges)
          if (step.kind === 'segment.create') made.add(step.segment.interface)
          for (const [name, { up }] of draft.segments)
            if (guardedBefore.has(name) || (made.has(name) && up)) expect(draft.guards.has(name)).toBe(true)
        }
      }),
      runs,
    )
  })

  it('never leads to a detour while a rule that keeps the tunnel off it is missing', () => {
    const check = (from: KernelState, to: KernelState, whole: KernelState) => {
      const draft = thaw(from)
      for (const step of planOf(to, from)) {
        applyStep(draft, step, bridges)
        const { rules } = freeze(draft)
        if (rules.some(({ table }) => table === 'detours')) expect(rules).toEqual(whole.rules)
      }
    }
    fc.assert(
      fc.property(desirable, state => {
        check(emptyKernelState, state, state)
        check(state, emptyKernelState, state)
      }),
      runs,
    )
  })

  it('sets every endpoint again after this machine moved, and nothing else', () => {
    fc.assert(
      fc.property(desirable, desired => {
        const steps = diff(desired, desired, { renewals: new Set(), rewriteEndpoints: true })
        const reachable = (desired.tunnel?.peers ?? []).filter(peer => peer.endpoint !== null)
        expect(steps.map(step => (step.kind === 'peer.set' ? step.peer : step))).toEqual(reachable)
      }),
    )
  })

  it('renews a peer only where WireGuard has it', () => {
    fc.assert(
      fc.property(desirable, observable, (desired, observed) => {
        const everyone = new Set((desired.tunnel?.peers ?? []).map(peer => peer.publicKey))
        const known = new Set((observed.tunnel?.peers ?? []).map(peer => peer.publicKey))
        const isKept = observed.tunnel?.interface === desired.tunnel?.interface
        const steps = diff(desired, observed, { renewals: everyone, rewriteEndpoints: false })
        const renewed = steps.flatMap(step => (step.kind === 'peer.renew' ? [step.peer.publicKey] : []))
        expect(renewed.sort()).toEqual([...everyone].filter(key => isKept && known.has(key)).sort())
      }),
    )
  })

  it('leaves WireGuard the endpoint it has where we know none', () => {
    fc.assert(
      fc.property(desirable, state => {
        fc.pre(state.tunnel !== null)
        const peers = (state.tunnel?.peers ?? []).map(peer => ({ ...peer, endpoint: null }))
        const unsure: KernelState = { ...state, tunnel: state.tunnel && { ...state.tunnel, peers } }
        expect(diff(unsure, state)).toEqual([])
      }),
    )
  })
})

const bridges = new Set(['br0'])

function planOf(desired: KernelState, observed: KernelState): Plan {
  return order(diff(desired, observed), desired.tunnel?.interface ?? null)
}

function apply(plan: Plan, state: KernelState): { draft: KernelDraft; refusals: readonly string[] } {
  const draft = thaw(state)
  const refusals = plan.flatMap(step => {
    const reason = applyStep(draft, step, bridges)
    return reason === null ? [] : [`${step.kind}: ${reason}`]
  })
  return { draft, refusals }
}
