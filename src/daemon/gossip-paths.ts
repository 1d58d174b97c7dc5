import { placeOf } from '../gossip/places.ts'
import { type IpAddress, parseIpAddress } from '../model/address.ts'
import type { NodeId } from '../model/node.ts'
import type { DaemonParts } from './parts.ts'
import type { State } from './state.ts'

/** Addresses of neighbours whose path is asked for; a large mesh tells no more of this machine than a small one. */
const askedMax = 64

/**
 * Notes where gossip connections are: the other end may be reached there by its tunnel, too, and this machine at the
 * address it talks from. Answers what is to be called when a connection came or went; `found` is called when this
 * machine turned out to talk from one more address.
 */
export function createGossipPaths(parts: DaemonParts, state: State, found: () => void): () => void {
  const asked = new Set<IpAddress>()

  async function ask(host: IpAddress): Promise<void> {
    asked.add(host)
    const answer = await parts.kernel.path(host)
    if (!answer.ok || state.gossipSources.has(answer.source)) return
    state.gossipSources = new Set([...state.gossipSources, answer.source])
    found()
  }

  return () => {
    state.gossipAt = gossipAddresses(state)
    for (const host of state.gossipAt.values()) if (!asked.has(host) && asked.size < askedMax) void ask(host)
  }
}

/** Kept when the connection goes: a tunnel may have come up there. Not of nodes that are no members any more. */
function gossipAddresses({ gossip, gossipAt, membership }: State): ReadonlyMap<NodeId, IpAddress> {
  const before = [...gossipAt].filter(([node]) => membership.has(node))
  const now = (gossip?.neighbours() ?? []).flatMap(({ node, address }) => {
    const host = parseIpAddress(placeOf(address)?.host ?? '')
    return host === null ? [] : [[node, host] as const]
  })
  return new Map([...before, ...now])
}
