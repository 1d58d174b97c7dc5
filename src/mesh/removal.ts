import type { Member } from '../model/member.ts'
import type { Plan } from '../model/step.ts'
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

/** A daemon that has not heard from the mesh yet takes nothing away: what it does not know may well be alive. */
export function restrain(plan: Plan, warm: boolean): Plan {
  return warm ? plan : plan.filter(step => !takesAway.has(step.kind))
}

const takesAway: ReadonlySet<string> = new Set([
  'tunnel.remove',
  'peer.remove',
  'flood.remove',
  'unicast.remove',
  'neighbour.remove',
  'segment.remove',
  'address.remove',
  'route.remove',
])
