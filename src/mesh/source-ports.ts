import { type IpAddress, sortedByAddress } from '../model/address.ts'
import type { SegmentState } from '../model/kernel-state.ts'
import type { Member } from '../model/member.ts'
import { standingOf } from './membership.ts'

/** In a mesh of many old nodes the guard would be replaced with each that comes: then none is listed. */
const exemptVtepsMax = 64

/** What a node announces: every device it has sends VXLAN from ports that only root may bind, and so will those it creates. */
export function sendsPrivileged(segments: readonly SegmentState[]): boolean {
  return segments.every(({ privileged }) => privileged)
}

/**
 * Members whose VXLAN is accepted from any source port, by VTEP: who does not announce privileged ones, as nodes of 0.1.0
 * and machines without lnetd, and who is silent, for a machine may be run without its lnetd. Null: too many to list.
 */
export function exemptVteps(members: readonly Member[], now: number): readonly IpAddress[] | null {
  const exempt = members.filter(
    member => !member.announcement.privileged || standingOf(member, now) === 'silent',
  )
  if (exempt.length > exemptVtepsMax) return null
  return sortedByAddress(
    exempt.map(({ announcement }) => announcement.vtep),
    vtep => vtep,
  )
}
