import {
  addressOf,
  compareAddresses,
  compareText,
  familyOf,
  type InterfaceName,
  type IpAddress,
  type Prefix,
} from '../model/address.ts'
import type { Configuration } from '../model/configuration.ts'
import type { Facts } from '../model/facts.ts'
import type { Detour, DetourRule, GatewayAnswers, RefusedRoute } from '../model/gateway.ts'
import type { BridgeFacts } from '../model/kernel-state.ts'
import {
  gatewayGainFactor,
  gatewayGainMilliseconds,
  gatewayMissesMax,
  gatewaysAskedMax,
} from '../model/limits.ts'
import type { Member } from '../model/member.ts'
import type { MeshId, NodeId } from '../model/node.ts'
import type { Vni } from '../model/segment.ts'
import type { WireguardPublicKey } from '../model/wireguard-key.ts'
import { usableBridge } from './bridge.ts'
import { type Holds, overlayKey, ownerOf, tunnelPrefix } from './claims.ts'
import type { Situation } from './decide.ts'
import { isReachable } from './desire.ts'
import { detourRules } from './detour-rules.ts'
import { type TunnelTrack, tunnelLiveness } from './liveness.ts'
import { routeRefusal } from './route-refusal.ts'

/** What the choice of gateways depends on. */
export interface WaysSituation {
  readonly configuration: Configuration
  readonly mesh: MeshId
  /** Sorted by node; those in the kernel whose tunnel addresses count. */
  readonly members: readonly Member[]
  readonly holds: Holds
  readonly tracks: ReadonlyMap<WireguardPublicKey, TunnelTrack>
  readonly answers: ReadonlyMap<NodeId, GatewayAnswers>
  readonly facts: Facts
  readonly bridges: readonly BridgeFacts[]
  readonly keptOut: ReadonlySet<Vni>
  /** Segments this node bears an IPv4 address in. */
  readonly addressed: ReadonlySet<Vni>
  /** The detours there are. */
  readonly current: readonly Detour[]
  readonly now: number
}

export interface Ways {
  readonly detours: readonly Detour[]
  readonly rules: readonly DetourRule[]
  readonly refused: readonly RefusedRoute[]
}

export const noWays: Ways = { detours: [], rules: [], refused: [] }
/** IPv4's default route. */
export const everywhere = '0.0.0.0/0' as Prefix

/** Members whose offers this node would use, and therefore asks whether they are there. */
export function gatewaysOf(
  { defaultVia, acceptRoutes }: Configuration,
  members: Iterable<Member>,
): readonly Member[] {
  if (defaultVia === null && !acceptRoutes) return []
  const wanted = [...members].filter(({ announcement: { gateway, left, name } }) => {
    if (gateway === null || left) return false
    const isDefault = gateway.everywhere && (defaultVia === 'auto' || defaultVia === name)
    return isDefault || (acceptRoutes && gateway.routes.length > 0)
  })
  return wanted
    .sort((a, b) => compareText(a.announcement.node, b.announcement.node))
    .slice(0, gatewaysAskedMax)
}

/** What an answer, in milliseconds, or its absence adds to what is known of a gateway. */
export function noteAnswer(known: GatewayAnswers | undefined, milliseconds: number | null): GatewayAnswers {
  const before = known?.milliseconds ?? null
  if (milliseconds === null) return { milliseconds: before, misses: (known?.misses ?? 0) + 1 }
  return { milliseconds: before === null ? milliseconds : before * 0.8 + milliseconds * 0.2, misses: 0 }
}

/** One that answered before and does so no more is gone. Of one that never did, WireGuard tells, later. */
export function isGatewayGone({ milliseconds, misses }: GatewayAnswers): boolean {
  return milliseconds !== null && misses >= gatewayMissesMax
}

/** The ways of a situation whose claims are settled. */
export function waysOf(situation: Situation, present: readonly Member[], holds: Holds): Ways {
  const { configuration, mesh, claims, observation } = situation
  const prefix = tunnelPrefix(configuration.tunnel, mesh)
  const addressed = claims.overlay.filter(({ address }) => familyOf(address) === 4).map(({ vni }) => vni)
  return findWays({
    ...situation,
    members: present.filter(member => isReachable(member, prefix, holds)),
    holds,
    bridges: observation.bridges,
    addressed: new Set(addressed),
    current: observation.state.detours,
  })
}

/**
 * The detours by gateways that answer, and the rules that lead to them. Without such a gateway there are none, and
 * the machine's own default route holds again.
 */
export function findWays(situation: WaysSituation): Ways {
  const { configuration, members, current } = situation
  const { defaultVia, acceptRoutes } = configuration
  const gateways = gatewaysOf(configuration, members).flatMap(member => gatewayOf(member, situation) ?? [])
  const main = gateways.filter(
    ({ member: { announcement: each } }) =>
      each.gateway?.everywhere === true && (defaultVia === 'auto' || defaultVia === each.name),
  )
  const offered = acceptRoutes ? routesOf(gateways) : []
  const refused = offered.flatMap(({ prefix }) => {
    const reason = routeRefusal(prefix, situation)
    return reason === null ? [] : [{ prefix, reason }]
  })
  const accepted = offered.filter(({ prefix }) => refused.every(route => route.prefix !== prefix))
  const wanted = [...(main.length === 0 ? [] : [{ prefix: everywhere, by: main }]), ...accepted]
  const detours = wanted
    .map(({ prefix, by }): Detour => {
      const { via, device } = fastest(by, current.find(detour => detour.prefix === prefix)?.via)
      return { prefix, via, device }
    })
    .sort((a, b) => compareAddresses(a.prefix, b.prefix))
  return { detours, rules: detours.length === 0 ? [] : detourRules(configuration, situation.facts), refused }
}

interface Gateway {
  readonly member: Member
  readonly via: IpAddress
  readonly device: InterfaceName
  /** Infinity while not known. */
  readonly milliseconds: number
  /** Asked often enough without ever answering. */
  readonly isMute: boolean
}

/** By the first segment we are both in, at the address it holds there; null when it cannot be used now. */
function gatewayOf(member: Member, situation: WaysSituation): Gateway | null {
  const { node, publicKey, gateway, segments } = member.announcement
  const answers = situation.answers.get(node)
  const track = situation.tracks.get(publicKey)
  if (gateway === null || track === undefined) return null
  const isAnswering = answers !== undefined && answers.milliseconds !== null
  if (isAnswering ? isGatewayGone(answers) : tunnelLiveness(track, situation.now) === 'down') return null
  for (const place of gateway.segments) {
    const facts = segments[place]
    const own = situation.configuration.segments.find(({ vni }) => vni === facts?.vni)
    if (facts === undefined || own === undefined || !situation.addressed.has(own.vni)) continue
    const via = facts.addresses
      .map(({ address }) => addressOf(address))
      .find(
        address =>
          familyOf(address) === 4 &&
          ownerOf(address, situation.holds.overlay.get(overlayKey(own.vni, address))) === node,
      )
    const device = usableBridge(own, situation) ?? own.interface
    if (via === undefined) continue
    const isMute = !isAnswering && (answers?.misses ?? 0) >= gatewayMissesMax
    return { member, via, device, milliseconds: answers?.milliseconds ?? Number.POSITIVE_INFINITY, isMute }
  }
  return null
}

function routesOf(gateways: readonly Gateway[]) {
  const offers = new Map<Prefix, Gateway[]>()
  for (const gateway of gateways)
    for (const prefix of gateway.member.announcement.gateway?.routes ?? [])
      offers.set(prefix, [...(offers.get(prefix) ?? []), gateway])
  return Array.from(offers, ([prefix, by]) => ({ prefix, by })).sort((a, b) =>
    compareAddresses(a.prefix, b.prefix),
  )
}

/** The one in use stays unless another one is clearly better: a change breaks what runs. */
function fastest(gateways: readonly Gateway[], inUse: IpAddress | undefined): Gateway {
  const best = gateways.reduce((a, b) => (b.milliseconds < a.milliseconds ? b : a))
  const kept = gateways.find(({ via }) => via === inUse)
  if (kept === undefined) return best
  if (!Number.isFinite(kept.milliseconds))
    return kept.isMute && Number.isFinite(best.milliseconds) ? best : kept
  const isClear =
    best.milliseconds < kept.milliseconds * gatewayGainFactor &&
    best.milliseconds + gatewayGainMilliseconds < kept.milliseconds
  return isClear ? best : kept
}
