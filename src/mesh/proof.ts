import type { Envelope } from '../model/announcement.ts'
import type { WireguardReading } from '../model/kernel-state.ts'
import { unprovenPeersMax } from '../model/limits.ts'
import type { Member, Membership } from '../model/member.ts'
import type { NodeId } from '../model/node.ts'
import type { WireguardPublicKey } from '../model/wireguard-key.ts'
import { standingOf } from './membership.ts'

/** A handshake that this node saw with a member's key. */
export interface Proof {
  readonly publicKey: WireguardPublicKey
  /** The last one, Unix seconds by this machine's clock. */
  readonly handshakeAt: number
}

/** By node; they outlive peers that are made anew, and restarts. */
export type Proofs = ReadonlyMap<NodeId, Proof>

/**
 * A member is proven once this node saw a handshake with the key it announces now. Before that it is only what
 * somebody says, and costs no more than a moment.
 */
export function isProven({ announcement }: Pick<Member, 'announcement'>, proofs: Proofs): boolean {
  return proofs.get(announcement.node)?.publicKey === announcement.publicKey
}

/** The proofs with the handshakes of these readings, for those that act for a key; the same value when none is new. */
export function noteProofs(
  proofs: Proofs,
  acting: readonly Member[],
  readings: readonly WireguardReading[],
): Proofs {
  const handshakes = new Map(readings.map(({ publicKey, handshakeAt }) => [publicKey, handshakeAt]))
  const news = acting.flatMap(({ announcement: { node, publicKey } }) => {
    const handshakeAt = handshakes.get(publicKey) ?? null
    const known = proofs.get(node)
    const isKnown = known?.publicKey === publicKey && known.handshakeAt === handshakeAt
    return handshakeAt === null || isKnown ? [] : [[node, { publicKey, handshakeAt }] as const]
  })
  return news.length === 0 ? proofs : new Map([...proofs, ...news])
}

/** How large the mesh is as far as it is proven: made-up members make no heartbeat slower, or hardly. */
export function countedMembers(membership: Membership, proofs: Proofs): number {
  const proven = [...membership.values()].filter(member => isProven(member, proofs)).length
  return proven + Math.floor((membership.size - proven) / unprovenPeersMax)
}

/** Handshakes of before the start, Unix seconds by the envelope they were kept with. */
export function recallProofs(
  members: readonly Pick<Member, 'announcement' | 'envelope'>[],
  handshakes: ReadonlyMap<Envelope, number | null>,
): Proofs {
  return new Map(
    members.flatMap(({ announcement: { node, publicKey }, envelope }) => {
      const handshakeAt = handshakes.get(envelope) ?? null
      return handshakeAt === null ? [] : [[node, { publicKey, handshakeAt }] as const]
    }),
  )
}

/** The proofs of those that are still known; the same value when all are. */
export function proofsOf(proofs: Proofs, known: (node: NodeId) => boolean): Proofs {
  const kept = [...proofs].filter(([node]) => known(node))
  return kept.length === proofs.size ? proofs : new Map(kept)
}

/** Nodes whose proof came, went, or is one of another key; not those that shook hands again. */
export function sameProven(a: Proofs, b: Proofs): boolean {
  if (a === b) return true
  return a.size === b.size && [...a].every(([node, { publicKey }]) => b.get(node)?.publicKey === publicKey)
}

/**
 * Members without those that claim a key which a proven one holds: only its holder could shake hands. One that is
 * silent gives way to a live claimant beside it, as where a machine has another identity and the same key.
 */
export function withoutRivals(members: readonly Member[], proofs: Proofs, now: number): readonly Member[] {
  const byKey = new Map<WireguardPublicKey, Member[]>()
  for (const member of members) {
    const { publicKey } = member.announcement
    const group = byKey.get(publicKey)
    if (group === undefined) byKey.set(publicKey, [member])
    else group.push(member)
  }
  if (byKey.size === members.length) return members
  const acting = new Set([...byKey.values()].flatMap(group => actingOf(group, proofs, now)))
  return members.filter(member => acting.has(member))
}

function actingOf(group: readonly Member[], proofs: Proofs, now: number): readonly Member[] {
  const holders = group.filter(member => isProven(member, proofs))
  if (holders.length === 0 || holders.length === group.length) return group
  if (holders.some(member => standingOf(member, now) === 'live')) return holders
  const heir = group.find(member => !holders.includes(member) && standingOf(member, now) === 'live')
  return heir === undefined ? holders : [...holders, heir]
}
