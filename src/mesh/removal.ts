import { type IpAddress, type MacAddress, type Prefix, prefixOf } from '../model/address.ts'
import type { Member } from '../model/member.ts'
import type { Plan, Step, StepKind } from '../model/step.ts'
import { isHandshakeStale, type TunnelTrack } from './liveness.ts'
import { standingOf } from './membership.ts'

/**
 * Whether a member belongs in the kernel. Two witnesses: out only when its gossip is silent and WireGuard has not
 * heard from it either; a farewell is believed at once.
 */
export function belongsInKernel(
  member: Member,
  track: TunnelTrack | undefined,
  now: number,
  isKnown = true,
): boolean {
  const standing = standingOf(member, now)
  if (standing !== 'silent') return standing === 'live'
  // Nothing but its words ever spoke for it.
  if (!isKnown && (track?.handshakeAt ?? null) === null) return false
  return track === undefined || !isHandshakeStale(track, now)
}

/**
 * A daemon that has not heard from the mesh yet takes nothing away: what it does not know may well be alive. What
 * belongs to a member that said farewell is known, and a device that is made anew is the configuration's doing.
 */
export function restrain(
  plan: Plan,
  warm: boolean,
  members: readonly Member[] = [],
  refused: ReadonlySet<Prefix> = new Set(),
): Plan {
  if (warm) return plan
  const farewells = belongings(members.filter(({ announcement }) => announcement.left))
  const vteps = new Map(
    plan.flatMap(step =>
      step.kind === 'unicast.remove' ? [[step.entry.mac, step.entry.vtep] as const] : [],
    ),
  )
  const anew = new Set(plan.flatMap(step => (step.kind === 'segment.create' ? [step.segment.interface] : [])))
  const isTunnelAnew = plan.some(step => step.kind === 'tunnel.create')
  return plan.filter(step => {
    if (step.kind === 'segment.remove') return anew.has(step.interface)
    if (step.kind === 'tunnel.remove') return isTunnelAnew
    return !takesAway(step.kind) || farewells.has(subjectOf(step, vteps)) || isOf(step, refused)
  })
}

/** By what their entries are known: keys and VTEPs. */
function belongings(members: readonly Member[]): ReadonlySet<string | undefined> {
  return new Set(members.flatMap(({ announcement: { publicKey, vtep } }) => [publicKey, vtep]))
}

function subjectOf(step: Step, vteps: ReadonlyMap<MacAddress, IpAddress>): string | undefined {
  if (step.kind === 'peer.remove') return step.publicKey
  if (step.kind === 'flood.remove') return step.vtep
  if (step.kind === 'unicast.remove') return step.entry.vtep
  // A farewell names no MAC, but the entry that goes with this one does.
  if (step.kind === 'neighbour.remove' || step.kind === 'bridge.neighbour.remove')
    return vteps.get(step.entry.mac)
  return step.kind === 'port.mac.remove' ? vteps.get(step.mac) : undefined
}

/** What could take this machine off its network is known from its network, not from the mesh. */
function isOf(step: Step, refused: ReadonlySet<Prefix>): boolean {
  if (step.kind === 'route.remove') return refused.has(step.route.prefix)
  const isAddress = step.kind === 'address.remove' || step.kind === 'bridge.address.remove'
  return isAddress && refused.has(prefixOf(step.address))
}

type Removal = Extract<StepKind, `${string}.remove`>

/** Whether it waits for the mesh: each kind of removal has to be decided here. */
const waits: Readonly<Record<Removal, boolean>> = {
  'peer.remove': true,
  'flood.remove': true,
  'unicast.remove': true,
  'neighbour.remove': true,
  'address.remove': true,
  'route.remove': true,
  'guard.remove': true,
  'detour.remove': true,
  'rule.remove': true,
  'port.mac.remove': true,
  'bridge.neighbour.remove': true,
  'bridge.neighbours.remove': true,
  'bridge.address.remove': true,
  'bridge.remove': true,
  // By the configuration alone.
  'gateway.remove': false,
  'limit.remove': false,
  'watch.remove': false,
  'learned.remove': false,
  // Only to be made anew, which `restrain` sees to.
  'segment.remove': false,
  'tunnel.remove': false,
}

function takesAway(kind: StepKind): boolean {
  return kind in waits && waits[kind as Removal]
}
