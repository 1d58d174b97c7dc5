import { addressOf, type IpAddress, sortedByAddress } from '../model/address.ts'
import type { KernelState, SegmentState } from '../model/kernel-state.ts'
import type { Member, Membership } from '../model/member.ts'
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
 * `unknown` are VTEPs of which nothing is known.
 */
export function exemptVteps(
  members: readonly Member[],
  unknown: readonly IpAddress[],
  now: number,
): readonly IpAddress[] | null {
  const exempt = members.filter(
    member => !member.announcement.privileged || standingOf(member, now) === 'silent',
  )
  const vteps = new Set([...unknown, ...exempt.map(({ announcement }) => announcement.vtep)])
  return vteps.size > exemptVtepsMax ? null : sortedByAddress([...vteps], vtep => vtep)
}

/**
 * VTEPs of peers in the kernel that no member announces: those of a hand-written network that was just taken over, or of
 * nodes that were not heard of again. They are kept until the mesh was heard: those that no guard holds to ports yet
 * are not held meanwhile.
 */
export function unknownVteps(
  { tunnel, segments }: KernelState,
  membership: Membership,
): readonly IpAddress[] {
  const isHeld = (vtep: IpAddress) => segments.some(({ guard }) => guard?.exempt?.includes(vtep) === false)
  const known = new Set(Array.from(membership.values(), ({ announcement }) => announcement.publicKey))
  return (tunnel?.peers ?? [])
    .filter(({ publicKey }) => !known.has(publicKey))
    .flatMap(({ allowedIps }) => allowedIps.map(addressOf))
    .filter(vtep => !isHeld(vtep))
}
