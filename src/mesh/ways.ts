import {
  addressOf,
  compareAddresses,
  compareText,
  familyOf,
  type InterfaceName,
  type IpAddress,
  type Prefix,
  prefixOf,
} from '../model/address.ts'
import type { Configuration } from '../model/configuration.ts'
import type { Facts } from '../model/facts.ts'
import type { ForeignNetwork } from '../model/foreign-network.ts'
import type { Detour, DetourRule, GatewayAnswers, RefusedRoute } from '../model/gateway.ts'
import type { BridgeFacts } from '../model/kernel-state.ts'
import { gatewayMissesMax, gatewaysAskedMax } from '../model/limits.ts'
import type { Member } from '../model/member.ts'
import { refersTo } from '../model/member-reference.ts'
import type { MeshId, NodeId } from '../model/node.ts'
import type { Vni } from '../model/segment.ts'
import type { WireguardPublicKey } from '../model/wireguard-key.ts'
import { bearerOf } from './bearers.ts'
import { usableBridge } from './bridge.ts'
import { type Holds, overlayKey, ownerOf, tunnelPrefix } from './claims.ts'
import type { Situation } from './decide.ts'
import { isReachable } from './desire.ts'
import { detourRules } from './detour-rules.ts'
import type { Evidence } from './evidence.ts'
import { type TunnelTrack, tunnelLiveness } from './liveness.ts'
import { wishFor } from './route-acceptance.ts'
import { fastest, notPrivate, routesOf } from './route-offers.ts'
import { routeRefusal } from './route-refusal.ts'

/** What the choice of gateways depends on. */
export interface WaysSituation {
  readonly configuration: Configuration
  readonly mesh: MeshId
  /** Sorted by node; those in the kernel whose tunnel addresses count. */
  readonly members: readonly Member[]
  readonly holds: Holds
  readonly tracks: ReadonlyMap<WireguardPublicKey, TunnelTrack>
  readonly evidence: Evidence
  /** Everyone known: a name may be borne by members that cannot be reached. */
  readonly known: readonly Member[]
  readonly answers: ReadonlyMap<NodeId, GatewayAnswers>
  readonly facts: Facts
  readonly bridges: readonly BridgeFacts[]
  readonly networks: readonly ForeignNetwork[]
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

/**
 * Members whose offers this node would use, and therefore asks whether they are there. Who never had a handshake offers
 * nothing, and takes no place of another.
 */
export function gatewaysOf(
  configuration: Configuration,
  members: Iterable<Member>,
  evidence: Evidence,
): readonly Member[] {
  const { defaultVia, acceptRoutes } = configuration
  if (defaultVia === null && acceptRoutes === 'none') return []
  const wanted = [...members].filter(member => {
    const { gateway, left } = member.announcement
    if (gateway === null || left || !evidence.isProven(member)) return false
    const isDefault = gateway.everywhere && isMeant(configuration, member)
    return (
      isDefault ||
      gateway.routes.some(prefix => wishFor(prefix, member.announcement, acceptRoutes) !== 'unwanted')
    )
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

/** Whether a member may be the gateway to everywhere. */
function isMeant({ defaultVia }: Configuration, { announcement }: Member): boolean {
  return defaultVia === 'auto' || (defaultVia !== null && refersTo(defaultVia, announcement))
}

/** The ways of a situation whose claims are settled. */
export function waysOf(
  situation: Situation,
  present: readonly Member[],
  holds: Holds,
  { evidence, refused }: { readonly evidence: Evidence; readonly refused: ReadonlySet<Prefix> },
): Ways {
  const { configuration, mesh, claims, observation } = situation
  const prefix = tunnelPrefix(configuration.tunnel, mesh)
  const addressed = claims.overlay
    .filter(({ address }) => familyOf(address) === 4 && !refused.has(prefixOf(address)))
    .map(({ vni }) => vni)
  return findWays({
    ...situation,
    members: present.filter(member => isReachable(member, prefix, holds)),
    ...{ holds, evidence, known: present },
    ...{ bridges: observation.bridges, networks: observation.networks },
    addressed: new Set(addressed),
    current: observation.state.detours,
  })
}

/**
 * The detours by gateways that answer, and the rules that lead to them. Without such a gateway there are none, and
 * the machine's own default route holds again.
 */
export function findWays(situation: WaysSituation): Ways {
  const { configuration, members, evidence, current } = situation
  const gateways = gatewaysOf(configuration, members, evidence).flatMap(
    member => gatewayOf(member, situation) ?? [],
  )
  const main = gateways.filter(({ member }) => isMain(member, situation))
  const offered = routesOf(gateways, situation)
  const refused = offered.flatMap(({ prefix, by }) => {
    const reason = routeRefusal(prefix, situation) ?? (by.length === 0 ? notPrivate : null)
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

/** One that answers, and how it is reached. */
export interface Gateway {
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

/** A name that two members bear leads nowhere. */
function isMain(member: Member, { configuration, known, evidence }: WaysSituation): boolean {
  const { defaultVia } = configuration
  if (member.announcement.gateway?.everywhere !== true || !isMeant(configuration, member)) return false
  return defaultVia === null || defaultVia === 'auto' || bearerOf(defaultVia, known, evidence) === member
}
