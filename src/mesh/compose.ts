import type { Announcement } from '../model/announcement.ts'
import type { OwnClaims } from '../model/claims.ts'
import type { Configuration } from '../model/configuration.ts'
import type { Facts } from '../model/facts.ts'
import {
  announcementCostBytes,
  heartbeatGrowthAnew,
  heartbeatPartMin,
  heartbeatPartMinAnew,
  heartbeatSecondsMax,
  idleGossipBytesPerSecond,
} from '../model/limits.ts'
import type { NodeId, Sequence } from '../model/node.ts'
import { tunnelMtu } from '../model/segment.ts'
import type { WireguardPublicKey } from '../model/wireguard-key.ts'
import { gossipAddresses, tunnelEndpoints } from './compose-endpoints.ts'
import { segmentFacts } from './compose-segments.ts'
import { gatewayOffer } from './gateway-offer.ts'

export interface Self {
  readonly node: NodeId
  readonly publicKey: WireguardPublicKey
  readonly software: string
}

/** What the kernel is ready for. */
export interface Readiness {
  readonly isGateway: boolean
  /** All segment devices send from privileged ports. */
  readonly privileged: boolean
}

const notReady: Readiness = { isGateway: false, privileged: false }

/** What we say of ourselves; null while there is no VTEP address to be reached at. */
export function compose(
  self: Self,
  sequence: Sequence,
  configuration: Configuration,
  facts: Facts,
  claims: OwnClaims,
  members: number,
  { isGateway, privileged }: Readiness = notReady,
): Announcement | null {
  const { vtep } = claims
  if (vtep === null) return null
  return {
    ...self,
    declaredBy: null,
    sequence,
    name: configuration.name,
    endpoints: tunnelEndpoints(configuration, facts),
    vtep: vtep.address,
    vtepClaim: { since: vtep.since, pinned: vtep.pinned },
    gossip: gossipAddresses(configuration, facts),
    segments: segmentFacts(self.node, configuration, claims),
    gateway: isGateway ? gatewayOffer(configuration) : null,
    privileged,
    mtu: tunnelMtu(facts.pathMtu),
    heartbeatSeconds: heartbeatSeconds(configuration.gossip.heartbeatSeconds, members),
    left: false,
  }
}

/**
 * True when two announcements say the same but for their number and when the next is due: the interval follows the
 * size of the mesh, and if it were news, each newcomer would make everyone speak.
 */
export function saysTheSame(a: Announcement, b: Announcement): boolean {
  return JSON.stringify(substance(a)) === JSON.stringify(substance(b))
}

/**
 * The interval of the heartbeat: as configured, stretched so that everybody's heartbeats together stay within a
 * node's idle budget whatever the size of the mesh.
 */
export function heartbeatSeconds(configuredSeconds: number, members: number): number {
  const spokenPart = (heartbeatPartMin + 1) / 2
  const stretched = Math.ceil((members * announcementCostBytes) / (idleGossipBytesPerSecond * spokenPart))
  return Math.min(heartbeatSecondsMax, Math.max(configuredSeconds, stretched))
}

/** A word that was just said, and the heartbeat that was due before it. Monotonic milliseconds. */
export interface Spoken {
  readonly now: number
  readonly intervalSeconds: number
  /** Of the word before; null: there was none. */
  readonly secondsBefore: number | null
  /** Null: the word was the heartbeat. */
  readonly dueAt: number | null
}

/**
 * When the next heartbeat is spoken, never later than promised. News do not put it off: those that hear the same news
 * would be in step from then on. `random` is in [0, 1).
 */
export function nextHeartbeatAt(spoken: Spoken, random: number): number {
  const { now, intervalSeconds, secondsBefore, dueAt } = spoken
  const isAnew = secondsBefore === null || intervalSeconds >= heartbeatGrowthAnew * secondsBefore
  const partMin = isAnew ? heartbeatPartMinAnew : heartbeatPartMin
  const at = now + intervalSeconds * 1000 * (partMin + (1 - partMin) * random)
  return isAnew || dueAt === null ? at : Math.min(dueAt, at)
}

function substance(announcement: Announcement) {
  return { ...announcement, sequence: null, heartbeatSeconds: null }
}
