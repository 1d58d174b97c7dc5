import { type Endpoint, endpoint, type IpAddress, portOf } from '../model/address.ts'
import type { EndpointCandidate } from '../model/announcement.ts'
import type { Member } from '../model/member.ts'
import type { NodeId } from '../model/node.ts'
import type { WireguardPublicKey } from '../model/wireguard-key.ts'
import { isUsable, type Surroundings } from './rank-endpoints.ts'

/** Where to try last, by key: where gossip finds each member. */
export function gossipEndpoints(
  members: readonly Member[],
  gossipAt: ReadonlyMap<NodeId, IpAddress>,
  surroundings: Surroundings,
): ReadonlyMap<WireguardPublicKey, readonly Endpoint[]> {
  return new Map(
    members.map(({ announcement: { node, publicKey, endpoints } }) => {
      const found = gossipEndpoint(endpoints, gossipAt.get(node), surroundings)
      return [publicKey, found === null ? [] : [found]]
    }),
  )
}

/**
 * Where a member may be though it announces nothing there: the address its gossip connection has, at the port its
 * tunnel has elsewhere. For the machine that is only reached through another VPN, say. Null where that is no endpoint.
 */
export function gossipEndpoint(
  announced: readonly EndpointCandidate[],
  address: IpAddress | undefined,
  surroundings: Surroundings,
): Endpoint | null {
  if (address === undefined || !isUsable(address, surroundings)) return null
  // What an operator wrote may be a forwarded port; the others are the tunnel's own.
  const own = announced.find(({ kind }) => kind !== 'configured') ?? announced[0]
  return own === undefined ? null : endpoint(address, portOf(own.place))
}
