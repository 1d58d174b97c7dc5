import type { Member } from '../model/member.ts'
import type { Plan, StepKind } from '../model/step.ts'
import { isHandshakeStale, type TunnelTrack } from './liveness.ts'
import { standingOf } from './membership.ts'

/**
 * Whether a member belongs in the kernel. Two witnesses: out only when its gossip is silent and WireGuard has not
 * heard from it either; a farewell is believed at once.
 */
export function belongsInKernel(member: Member, track: TunnelTrack | undefined, now: number): boolean {
  const standing = standingOf(member, now)
  if (standing !== 'silent') return standing === 'live'
  return track === undefined || !isHandshakeStale(track, now)
}

/**
 * A daemon that has not heard from the mesh yet takes nothing away: what it does not know may well be alive. A
 * device that is made anew is another matter: that is the configuration's doing.
 */
export function restrain(plan: Plan, warm: boolean): Plan {
  if (warm) return plan
  const anew = new Set(plan.flatMap(step => (step.kind === 'segment.create' ? [step.segment.interface] : [])))
  const isTunnelAnew = plan.some(step => step.kind === 'tunnel.create')
  return plan.filter(step => {
    if (step.kind === 'segment.remove') return anew.has(step.interface)
    if (step.kind === 'tunnel.remove') return isTunnelAnew
    return !takesAway.has(step.kind)
  })
}

const takesAway: ReadonlySet<StepKind> = new Set([
  'peer.remove',
  'flood.remove',
  'unicast.remove',
  'neighbour.remove',
  'address.remove',
  'route.remove',
  'guard.remove',
])
