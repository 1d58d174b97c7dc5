import { compareAddresses, type IpAddress, type Prefix } from '../model/address.ts'
import type { RouteAcceptance } from '../model/configuration.ts'
import { gatewayGainFactor, gatewayGainMilliseconds } from '../model/limits.ts'
import type { Member } from '../model/member.ts'
import { bearerOf } from './bearers.ts'
import type { Evidence } from './evidence.ts'
import { wishFor } from './route-acceptance.ts'
import type { Gateway, WaysSituation } from './ways.ts'

/** Why a route is refused that only the configuration could take. */
export const notPrivate = 'it is not private: list it, or its gateway, in accept_routes'

/** Routes that are wanted, each with its gateways; without any, those that are public and therefore not wanted. */
export function routesOf(gateways: readonly Gateway[], { configuration, known, evidence }: WaysSituation) {
  const offers = new Map<Prefix, Gateway[]>()
  const acceptance = meant(configuration.acceptRoutes, known, evidence)
  for (const gateway of gateways)
    for (const prefix of gateway.member.announcement.gateway?.routes ?? []) {
      const wish = wishFor(prefix, gateway.member.announcement, acceptance)
      const by = offers.get(prefix) ?? []
      if (wish !== 'unwanted') offers.set(prefix, wish === 'wanted' ? [...by, gateway] : by)
    }
  return Array.from(offers, ([prefix, by]) => ({ prefix, by })).sort((a, b) =>
    compareAddresses(a.prefix, b.prefix),
  )
}

/** Without those members that cannot be told apart. */
function meant(acceptance: RouteAcceptance, known: readonly Member[], evidence: Evidence): RouteAcceptance {
  if (typeof acceptance === 'string') return acceptance
  const members = acceptance.members.filter(reference => bearerOf(reference, known, evidence) !== null)
  return { ...acceptance, members }
}

/** The one in use stays unless another one is clearly better: a change breaks what runs. */
export function fastest(gateways: readonly Gateway[], inUse: IpAddress | undefined): Gateway {
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
