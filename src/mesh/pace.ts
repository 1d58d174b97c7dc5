import { addressOf, type IpAddress } from '../model/address.ts'
import type { WireguardPeer } from '../model/kernel-state.ts'
import {
  retryMillisecondsMax,
  retryMillisecondsMin,
  roundSpacingMilliseconds,
  roundsAtOnceMax,
  trialLookMilliseconds,
  verifyMilliseconds,
} from '../model/limits.ts'
import type { Plan, Step, StepKind } from '../model/step.ts'

/** How many rounds may still follow each other at once, and as of when (monotonic milliseconds). */
export interface Pace {
  readonly left: number
  readonly at: number
}

/**
 * Takes a round, or says how long to wait for one, milliseconds. A change is looked at without a delay, and so are
 * several in a row; a flood of them only every half second, however many there are.
 */
export function takeRound(before: Pace | null, now: number): { readonly pace: Pace; readonly wait: number } {
  const known = before ?? { left: roundsAtOnceMax, at: now }
  const left = Math.min(roundsAtOnceMax, known.left + (now - known.at) / roundSpacingMilliseconds)
  if (left >= 1) return { pace: { left: left - 1, at: now }, wait: 0 }
  return { pace: { left, at: now }, wait: Math.ceil((1 - left) * roundSpacingMilliseconds) }
}

/** How long to wait after so many failures in a row, milliseconds. `random` is in [0, 1). */
export function retryAfter(failures: number, random: number): number {
  const ceiling = Math.min(retryMillisecondsMax, retryMillisecondsMin * 2 ** failures)
  return ceiling * (0.5 + 0.5 * random)
}

/**
 * How long after a plan the kernel is looked at again, milliseconds. What devices are needs the next plan at once; entries
 * for members are complete in themselves, and while many come at once a look for each of them would hold up the others.
 */
export function verifyAfter(plan: Plan): number {
  if (!plan.every(({ kind }) => ofMembers.has(kind))) return 0
  return plan.some(step => triedPeer(step) !== null) ? trialLookMilliseconds : verifyMilliseconds
}

/** Without a keepalive WireGuard shakes hands only when there is something to send. */
export function toBeSpokenTo(plan: Plan): readonly IpAddress[] {
  return plan.flatMap(step => triedPeer(step)?.allowedIps.map(addressOf) ?? [])
}

function triedPeer(step: Step): WireguardPeer | null {
  if (step.kind !== 'peer.set' && step.kind !== 'peer.renew') return null
  return step.peer.keepaliveSeconds === 0 && step.peer.endpoint !== null ? step.peer : null
}

const ofMembers: ReadonlySet<StepKind> = new Set([
  ...(['peer.set', 'peer.renew', 'peer.remove'] as const),
  ...(['unicast.set', 'unicast.remove', 'flood.add', 'flood.remove'] as const),
  ...(['neighbour.set', 'neighbour.remove', 'bridge.neighbour.set', 'bridge.neighbour.remove'] as const),
  ...(['port.mac.set', 'port.mac.remove'] as const),
])
