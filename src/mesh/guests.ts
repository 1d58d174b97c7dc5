import { hostAddress } from '../model/address.ts'
import type { Announcement } from '../model/announcement.ts'
import {
  introducersMax,
  membersMax,
  newcomersBurst,
  newcomersPerMinute,
  unprovenPerAddressMax,
  unprovenPerKeyMax,
  unprovenSecondsMax,
} from '../model/limits.ts'
import type { Membership } from '../model/member.ts'
import type { NodeId } from '../model/node.ts'
import { isProven, type Proofs } from './proof.ts'

/** How a newcomer came. Times are monotonic milliseconds. */
export interface Arrival {
  readonly announcement: Announcement
  readonly ageMilliseconds: number
  /** The neighbour that told of it; null: our own disk. */
  readonly introducer: NodeId | null
  /** How many members there are. */
  readonly members: number
  readonly now: number
}

/** Null: there is no room. Else who has to go for it. */
export type Welcome = readonly NodeId[] | null

/**
 * Bounds what strangers can make of the membership: so many newcomers a minute by one neighbour, so many unproven ones
 * with one key and at one address. Where there is no room one that had its time without ever answering gives way, but
 * only to somebody who speaks now: what is merely handed on again drives nobody out.
 */
export class Guests {
  readonly #introductions = new Map<NodeId, { left: number; at: number }>()
  readonly #since = new Map<NodeId, number>()
  #byKey = new Map<string, Set<NodeId>>()
  #byAddress = new Map<string, Set<NodeId>>()
  #unproven = new Set<NodeId>()
  #countedAt = Number.NEGATIVE_INFINITY

  /** Counts who is there, at most once a second: in a crowd that joins one by one each would cost all before it. */
  count(membership: Membership, proofs: Proofs, now: number): void {
    if (now - this.#countedAt < 1000) return
    this.#countedAt = now
    this.#byKey = new Map()
    this.#byAddress = new Map()
    this.#unproven = new Set()
    for (const node of this.#since.keys()) if (!membership.has(node)) this.#since.delete(node)
    for (const member of membership.values())
      if (!isProven(member, proofs)) this.#add(member.announcement, now)
  }

  welcome(arrival: Arrival): Welcome {
    const { announcement, introducer, members, now } = arrival
    const isDirect = introducer === null || introducer === (announcement.declaredBy ?? announcement.node)
    if (!isDirect && !this.#takeIntroduction(introducer, now)) return null
    const crowds = this.#crowdsOf(announcement).flatMap(({ nodes, max }) =>
      nodes.size >= max ? [nodes] : [],
    )
    if (members >= membersMax) crowds.push(this.#unproven)
    const mayDrive = isDirect || arrival.ageMilliseconds <= unprovenSecondsMax * 1000
    const leaving = new Set<NodeId>()
    for (const nodes of crowds) {
      if ([...leaving].some(node => nodes.has(node))) continue
      const one = mayDrive ? this.#eldest(nodes, now) : null
      if (one === null) return null
      leaving.add(one)
    }
    for (const node of leaving) this.#remove(node)
    this.#add(announcement, now)
    return [...leaving]
  }

  /** A known member takes another key: whether there is room among those that claim it. */
  mayTakeKey({ node, publicKey }: Announcement): boolean {
    const claimants = this.#byKey.get(publicKey)
    return claimants === undefined || claimants.has(node) || claimants.size < unprovenPerKeyMax
  }

  #takeIntroduction(introducer: NodeId, now: number): boolean {
    const known = this.#introductions.get(introducer) ?? { left: newcomersBurst, at: now }
    const left = Math.min(newcomersBurst, known.left + ((now - known.at) / 60_000) * newcomersPerMinute)
    this.#introductions.delete(introducer)
    this.#introductions.set(introducer, { left: left >= 1 ? left - 1 : left, at: now })
    for (const node of this.#introductions.keys()) {
      if (this.#introductions.size <= introducersMax) break
      this.#introductions.delete(node)
    }
    return left >= 1
  }

  #eldest(nodes: ReadonlySet<NodeId>, now: number): NodeId | null {
    const before = now - unprovenSecondsMax * 1000
    let eldest: NodeId | null = null
    let least = before
    for (const node of nodes) {
      const since = this.#since.get(node) ?? now
      if (since > least || (since === least && eldest !== null)) continue
      eldest = node
      least = since
    }
    return eldest
  }

  #crowdsOf({ publicKey, endpoints }: Announcement) {
    const addresses = new Set(endpoints.map(({ place }) => hostAddress(place) ?? place))
    return [
      { nodes: setOf(this.#byKey, publicKey), max: unprovenPerKeyMax },
      ...Array.from(addresses, address => ({
        nodes: setOf(this.#byAddress, address),
        max: unprovenPerAddressMax,
      })),
    ]
  }

  #add(announcement: Announcement, now: number): void {
    const { node } = announcement
    if (!this.#since.has(node)) this.#since.set(node, now)
    this.#unproven.add(node)
    for (const { nodes } of this.#crowdsOf(announcement)) nodes.add(node)
  }

  #remove(node: NodeId): void {
    this.#since.delete(node)
    this.#unproven.delete(node)
    for (const nodes of [...this.#byKey.values(), ...this.#byAddress.values()]) nodes.delete(node)
  }
}

function setOf(sets: Map<string, Set<NodeId>>, key: string): Set<NodeId> {
  const known = sets.get(key)
  if (known !== undefined) return known
  const made = new Set<NodeId>()
  sets.set(key, made)
  return made
}
