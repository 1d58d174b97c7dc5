import { type Decision, decide, type Situation } from '../../src/mesh/decide.ts'
import type { KernelState, WireguardReading } from '../../src/model/kernel-state.ts'
import { freeze, thaw } from '../fake/kernel-draft.ts'
import { applyStep } from '../fake/kernel-steps.ts'
import { observation } from './world.ts'

/** Applies a decision to the kernel of its situation: what the next look finds. Throws when a step cannot work. */
export function applied({ state }: Situation['observation'], decision: Pick<Decision, 'plan'>): KernelState {
  const draft = thaw(state)
  for (const step of decision.plan) {
    const refusal = applyStep(draft, step, new Set(['br0']))
    if (refusal !== null) throw new Error(`${step.kind}: ${refusal}`)
  }
  return freeze(draft)
}

/** The situation after the decision was carried out, with nothing heard yet. */
export function after(situation: Situation, decision: Decision): Situation {
  const state = applied(situation.observation, decision)
  const before = new Map(situation.observation.readings.map(reading => [reading.publicKey, reading]))
  const readings = (state.tunnel?.peers ?? []).map(
    ({ publicKey, endpoint }): WireguardReading => ({
      ...(before.get(publicKey) ?? { publicKey, handshakeAt: null, receivedBytes: 0, sentBytes: 0 }),
      endpoint,
    }),
  )
  return {
    ...situation,
    claims: decision.claims,
    tracks: decision.tracks,
    observation: observation(state, readings, situation.observation.bridges),
  }
}

/** Decides and carries out once. */
export function settled(situation: Situation): Situation {
  return after(situation, decide(situation))
}
