import type { Cancel } from '../host/clock.ts'
import { type Decision, decide } from '../mesh/decide.ts'
import { type Pace, retryAfter, takeRound, toBeSpokenTo, verifyAfter } from '../mesh/pace.ts'
import { areSaved } from '../mesh/records.ts'
import type { OwnClaims } from '../model/claims.ts'
import { type Failure, ok, type Result } from '../model/failure.ts'
import type { Observation } from '../model/kernel-state.ts'
import {
  driftDebounceMilliseconds,
  driftDebounceMillisecondsMax,
  observeSeconds,
  reconcileRoundsMax,
  retryMillisecondsMin,
} from '../model/limits.ts'
import type { Plan } from '../model/step.ts'
import { logDrift } from './drift.ts'
import { failureFields, logPlan } from './log-fields.ts'
import type { Looker } from './looker.ts'
import type { DaemonParts } from './parts.ts'
import { graceLeft, isWarm, situationOf } from './situation.ts'
import { learn, type State } from './state.ts'

export interface Reconciler {
  /** Something changed: look at the kernel again, soon. */
  mark(): void
  /** The kernel itself said so: wait a moment for the rest of it. */
  drifted(): void
  /** Until nothing is left to do, or until a failure waits for its next try, or what was done for a look at it. */
  idle(): Promise<void>
  /** What would be changed now. Changes nothing. */
  plan(): Promise<Result<Plan>>
  /** Ends after the round that is under way. */
  stop(): Promise<void>
}

export interface ReconcilerEvents {
  claimsChanged(claims: OwnClaims): Promise<void>
  /** Others count as members, or some do no more; or others hold what only one can. */
  recordsChanged(): void
  /** All endpoints were set again because this machine moved, or all tunnels are in doubt. */
  endpointsSet(): void
  /** After every round that changed what is known. */
  looked(): void
}

/**
 * Observe, decide, apply, observe again, until nothing is left to do. INVARIANTS: one round at a time; whatever
 * happens meanwhile only marks; every failure is retried.
 */
export function createReconciler(
  parts: DaemonParts,
  state: State,
  looker: Looker,
  events: ReconcilerEvents,
): Reconciler {
  const { clock, kernel, log } = parts
  let marked = false
  let stopped = false
  let running: Promise<void> | null = null
  let next: Cancel | null = null
  let failures = 0
  let pace: Pace | null = null
  /** The kernel told of a change during the round, which may be our own. */
  let told = false
  /** It is looked at soon anyway. */
  let verifying = false
  let awaitingDrift = false
  let driftWaitMilliseconds = driftDebounceMilliseconds

  function mark(): void {
    marked = true
    if (!stopped) running ??= run().finally(finish)
  }

  /** A mark between the last look and here would be lost. */
  function finish(): void {
    running = null
    if (marked && !stopped) mark()
  }

  async function run(): Promise<void> {
    // What happens in the same breath belongs to one round.
    await Promise.resolve()
    for (let round = 0; marked && !stopped; round += 1) {
      if (round >= reconcileRoundsMax) return pause(retryMillisecondsMin)
      const taken = takeRound(pace, clock.now())
      pace = taken.pace
      if (taken.wait > 0) return pause(taken.wait)
      marked = false
      told = false
      verifying = false
      const outcome = await once()
      if (outcome === 'failed') failures += 1
      if (outcome === 'failed') return pause(retryAfter(failures, clock.random()))
      if (outcome !== 'settled' && outcome.verifyAfter > 0 && !marked) {
        verifying = true
        return pause(outcome.verifyAfter)
      }
      marked ||= told || outcome !== 'settled'
    }
  }

  function pause(milliseconds: number): void {
    marked = false
    wake(milliseconds)
  }

  async function once(): Promise<'settled' | 'failed' | { readonly verifyAfter: number }> {
    const observed = await looker.look()
    state.looks += 1
    if (!observed.ok) return noteFailure(observed.failure)
    state.kernelFailure = null
    const decision = decide(situationOf(parts, state, observed.value))
    const { moved, inDoubt } = state
    Object.assign(state, { moved: false, inDoubt: false })
    logDrift(log, state.settled, observed.value.state)
    await commit(decision, observed.value)
    if (inDoubt) events.endpointsSet()
    if (decision.plan.length === 0) return settle(decision)
    const outcome = await apply(decision.plan)
    if (moved && outcome === 'failed') state.moved = true
    if (moved && outcome === 'changed') events.endpointsSet()
    return outcome === 'failed' ? outcome : { verifyAfter: verifyAfter(decision.plan) }
  }

  async function commit(decision: Decision, observation: Observation): Promise<void> {
    const changed = decision.claims !== state.claims
    if (!areSaved(decision, state)) events.recordsChanged()
    learn(state, decision, observation)
    if (changed) await events.claimsChanged(decision.claims)
    events.looked()
  }

  function settle(decision: Decision): 'settled' {
    failures = 0
    state.stepFailures = []
    // An event after which nothing was amiss makes the next one wait longer.
    if (awaitingDrift)
      driftWaitMilliseconds = Math.min(driftWaitMilliseconds * 2, driftDebounceMillisecondsMax)
    awaitingDrift = false
    const now = clock.now()
    // What a cold daemon leaves in the kernel beyond its desire is no drift.
    state.settled = isWarm(state, now) ? decision.desired : null
    const poll = observeSeconds * 1000 * (0.8 + 0.2 * clock.random())
    wake(Math.min(poll, decision.dueAt - now, graceLeft(state, now)))
    return 'settled'
  }

  async function apply(plan: Plan): Promise<'changed' | 'failed'> {
    // From here until it settles again, what changes is our own doing.
    looker.distrust()
    state.settled = null
    awaitingDrift = false
    driftWaitMilliseconds = driftDebounceMilliseconds
    const stepFailures = await kernel.apply(plan)
    state.looks += 1
    state.stepFailures = stepFailures
    kernel.speak(toBeSpokenTo(plan))
    logPlan(log, plan, stepFailures)
    return stepFailures.length > 0 ? 'failed' : 'changed'
  }

  function noteFailure(failure: Failure): 'failed' {
    if (state.kernelFailure?.what !== failure.what || state.kernelFailure.why !== failure.why)
      log.error('kernel.not_observed', failureFields(failure))
    state.kernelFailure = failure
    return 'failed'
  }

  function wake(milliseconds: number): void {
    next?.()
    next = stopped ? null : clock.setTimer(Math.max(1, milliseconds), mark)
  }

  async function plan(): Promise<Result<Plan>> {
    const observed = await kernel.observe()
    if (!observed.ok) return observed
    return ok(decide(situationOf(parts, state, observed.value)).plan)
  }

  return {
    mark,
    drifted() {
      looker.distrust()
      if (running !== null) told = true
      else if (!awaitingDrift && !verifying) wake(driftWaitMilliseconds)
      awaitingDrift = true
    },
    async idle() {
      while (running !== null) await running
    },
    plan,
    async stop() {
      stopped = true
      next?.()
      await running
    },
  }
}
