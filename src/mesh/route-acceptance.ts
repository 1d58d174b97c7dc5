import { addressOf, familyOf, lengthOf, type Prefix, prefixContains } from '../model/address.ts'
import type { Announcement } from '../model/announcement.ts'
import type { RouteAcceptance } from '../model/configuration.ts'
import { refersTo } from '../model/member-reference.ts'

/** RFC 1918 and the unique local addresses of RFC 4193. A provider's shared 100.64.0.0/10 (RFC 6598) is not one's own. */
const privateNetworks: readonly Prefix[] = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'].map(
  network => network as Prefix,
)

/** What the configuration says of an offered route. `public`: only private networks are wanted. */
export type Wish = 'wanted' | 'unwanted' | 'public'

export function wishFor(
  prefix: Prefix,
  gateway: Pick<Announcement, 'name' | 'node'>,
  acceptance: RouteAcceptance,
): Wish {
  if (acceptance === 'none') return 'unwanted'
  if (acceptance === 'private') return isWithinSome(prefix, privateNetworks) ? 'wanted' : 'public'
  const isNamed = acceptance.members.some(reference => refersTo(reference, gateway))
  return isNamed || isWithinSome(prefix, acceptance.networks) ? 'wanted' : 'unwanted'
}

function isWithinSome(prefix: Prefix, networks: readonly Prefix[]): boolean {
  return networks.some(network => isWithin(prefix, network))
}

function isWithin(prefix: Prefix, network: Prefix): boolean {
  return (
    familyOf(prefix) === familyOf(network) &&
    lengthOf(prefix) >= lengthOf(network) &&
    prefixContains(network, addressOf(prefix))
  )
}
