import { compareAddresses, endpoint, familyOf, type HostPort, type Port } from '../model/address.ts'
import type { Announcement, EndpointCandidate } from '../model/announcement.ts'
import type { OwnClaims } from '../model/claims.ts'
import type { Configuration } from '../model/configuration.ts'
import type { Facts } from '../model/facts.ts'
import {
  endpointsPerMemberMax,
  gossipAddressesPerMemberMax,
  heartbeatSecondsMax,
  idleGossipBytesPerSecond,
} from '../model/limits.ts'
import type { NodeId, Sequence } from '../model/node.ts'
import { scopeOf } from '../model/scope.ts'
import { type SegmentFacts, tunnelMtu } from '../model/segment.ts'
import type { WireguardPublicKey } from '../model/wireguard-key.ts'
import { segmentMac } from './derive.ts'

export interface Self {
  readonly node: NodeId
  readonly publicKey: WireguardPublicKey
  readonly software: string
}

/** What we say of ourselves; null while there is no VTEP address to be reached at. */
export function compose(
  self: Self,
  sequence: Sequence,
  configuration: Configuration,
  facts: Facts,
  claims: OwnClaims,
  members: number,
): Announcement | null {
  const { vtep } = claims
  if (vtep === null) return null
  return {
    ...self,
    sequence,
    name: configuration.name,
    endpoints: tunnelEndpoints(configuration, facts),
    vtep: vtep.address,
    vtepClaim: { since: vtep.since, pinned: vtep.pinned },
    gossip: gossipAddresses(configuration, facts),
    segments: segmentFacts(self.node, configuration, claims),
    mtu: tunnelMtu(facts.pathMtu),
    heartbeatSeconds: heartbeatSeconds(configuration.gossip.heartbeatSeconds, members),
    left: false,
  }
}

/** True when two announcements say the same but for their number. */
export function saysTheSame(a: Announcement, b: Announcement): boolean {
  return JSON.stringify({ ...a, sequence: null }) === JSON.stringify({ ...b, sequence: null })
}

/**
 * The interval of the heartbeat: as configured, stretched so that everybody's heartbeats together stay within a
 * node's idle budget whatever the size of the mesh. An announcement is about 500 bytes sealed, and about three
 * copies of it arrive.
 */
export function heartbeatSeconds(configuredSeconds: number, members: number): number {
  const stretched = Math.ceil((members * 3 * 500) / idleGossipBytesPerSecond)
  return Math.min(heartbeatSecondsMax, Math.max(configuredSeconds, stretched))
}

function tunnelEndpoints(configuration: Configuration, facts: Facts): readonly EndpointCandidate[] {
  const { port, endpoints } = configuration.tunnel
  const configured = endpoints.map((place): EndpointCandidate => ({ place, kind: 'configured' }))
  const found = facts.addresses
    .map(({ address }): EndpointCandidate => {
      const kind = scopeOf(address) === 'global' ? 'public' : 'lan'
      return { place: endpoint(address, port) as string as HostPort, kind }
    })
    .sort((a, b) => Number(a.kind === 'lan') - Number(b.kind === 'lan'))
  const known = new Set<HostPort>()
  return [...configured, ...found]
    .filter(({ place }) => !known.has(place) && known.add(place))
    .slice(0, endpointsPerMemberMax)
}

function gossipAddresses(configuration: Configuration, facts: Facts): readonly string[] {
  const { port } = configuration.gossip
  const configured = configuration.tunnel.endpoints.map(place => dnsMultiaddr(place, port))
  const found = facts.addresses.map(({ address }) => `/ip${familyOf(address)}/${address}/tcp/${port}`)
  return [...new Set([...configured, ...found])].slice(0, gossipAddressesPerMemberMax)
}

/** A machine that is reached at a name for the tunnel is reached there for gossip, too. */
function dnsMultiaddr(place: HostPort, port: Port): string {
  const host = place.slice(0, place.lastIndexOf(':')).replaceAll(/^\[|\]$/g, '')
  if (host.includes(':')) return `/ip6/${host}/tcp/${port}`
  return /^[\d.]+$/.test(host) ? `/ip4/${host}/tcp/${port}` : `/dns/${host}/tcp/${port}`
}

function segmentFacts(
  node: NodeId,
  configuration: Configuration,
  claims: OwnClaims,
): readonly SegmentFacts[] {
  return configuration.segments
    .map(({ vni }) => ({
      vni,
      mac: segmentMac(node, vni),
      addresses: claims.overlay
        .filter(claim => claim.vni === vni)
        .map(({ address, since, pinned }) => ({ address, since, pinned }))
        .sort((a, b) => compareAddresses(a.address, b.address)),
    }))
    .sort((a, b) => a.vni - b.vni)
}
