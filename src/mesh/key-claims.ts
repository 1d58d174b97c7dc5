import { hostAddress, type IpAddress } from '../model/address.ts'
import { handshakeFreshSecondsMax, keyTrialSeconds } from '../model/limits.ts'
import type { Member, Membership } from '../model/member.ts'
import type { NodeId } from '../model/node.ts'
import type { WireguardPublicKey } from '../model/wireguard-key.ts'
import { isProven, type Proofs } from './proof.ts'
import type { Tracks } from './tracks.ts'

/** Whose word on a key stands, and since when: monotonic milliseconds. */
export interface KeyTenure {
  readonly node: NodeId
  readonly since: number
  /** It came after another one that was not heard any more, to be tried. */
  readonly onTrial: boolean
}

/** Of keys that more than one claims, where one of them is declared. */
export type KeyTenures = ReadonlyMap<WireguardPublicKey, KeyTenure>

export interface KeySituation {
  readonly membership: Membership
  /** This node, whose own declarations come first. */
  readonly node: NodeId
  readonly proofs: Proofs
  readonly tracks: Tracks
  /** The address of each member's gossip connection. */
  readonly gossipAt: ReadonlyMap<NodeId, IpAddress>
  /** Monotonic milliseconds. */
  readonly now: number
}

/**
 * Whose word on each key stands: the first heard, for as long as WireGuard hears the key while it stands. So no
 * announcement cuts off a machine that answers. Where nothing is heard, claimants are tried in turn, until one is right
 * by a handshake: a machine that runs lnetd by now uses another preshared key than before.
 */
export function keepKeys(before: KeyTenures, situation: KeySituation): KeyTenures {
  if ([...situation.membership.values()].every(({ announcement }) => announcement.declaredBy === null))
    return before.size === 0 ? before : new Map()
  const after = new Map<WireguardPublicKey, KeyTenure>()
  for (const [key, claimants] of claimantsByKey(situation.membership)) {
    const known = before.get(key)
    const candidates = candidatesOf(claimants, known, situation)
    const moved = movedTo(claimants, candidates, known, situation)
    after.set(key, moved ?? keepKey(known, candidates, key, situation))
  }
  return after
}

/** Whether a handshake with its key is one with this member: not when it was made before the member was tried. */
export function mayProve({ announcement }: Member, keys: KeyTenures, tracks: Tracks): boolean {
  const { node, publicKey } = announcement
  const tenure = keys.get(publicKey)
  if (tenure === undefined || !tenure.onTrial) return true
  const grewAt = tracks.get(publicKey)?.grewAt ?? Number.NEGATIVE_INFINITY
  return tenure.node === node && grewAt >= tenure.since
}

/** When the next claimant of some key has its turn, monotonic milliseconds; infinity where none waits. */
export function keyTurnDueAt(keys: KeyTenures, situation: KeySituation): number {
  if (keys.size === 0) return Number.POSITIVE_INFINITY
  let soonest = Number.POSITIVE_INFINITY
  for (const [key, claimants] of claimantsByKey(situation.membership)) {
    const tenure = keys.get(key)
    if (tenure === undefined || candidatesOf(claimants, tenure, situation).length < 2) continue
    soonest = Math.min(soonest, patienceEndsAt(tenure, key, situation.tracks) + 1)
  }
  return soonest
}

/**
 * A declared machine that runs lnetd by now: it speaks for itself, at the VTEP it was declared with, from the very
 * address at which WireGuard hears the key. It has its turn at once, while its session from before still carries; once,
 * since a liar behind the same address could say the same.
 */
function movedTo(
  claimants: readonly Member[],
  candidates: readonly NodeId[],
  known: KeyTenure | undefined,
  { tracks, gossipAt, now }: KeySituation,
): KeyTenure | null {
  const standing = claimants.find(({ announcement }) => announcement.node === known?.node)?.announcement
  if (known === undefined || known.onTrial || standing === undefined || standing.declaredBy === null)
    return null
  const alive = tracks.get(standing.publicKey)?.aliveEndpoint ?? null
  const address = alive === null ? null : hostAddress(alive)
  const moved = claimants.find(
    ({ announcement: { node, vtep } }) =>
      candidates.includes(node) &&
      vtep === standing.vtep &&
      address !== null &&
      gossipAt.get(node) === address,
  )
  return moved === undefined ? null : { node: moved.announcement.node, since: now, onTrial: true }
}

function keepKey(
  known: KeyTenure | undefined,
  candidates: readonly NodeId[],
  key: WireguardPublicKey,
  { tracks, now }: KeySituation,
): KeyTenure {
  if (known === undefined || !candidates.includes(known.node))
    return { node: candidates[0] as NodeId, since: now, onTrial: known !== undefined }
  if (candidates.length === 1 || now <= patienceEndsAt(known, key, tracks)) return known
  const next = candidates[(candidates.indexOf(known.node) + 1) % candidates.length] as NodeId
  return { node: next, since: now, onTrial: true }
}

/** Long after it was last heard, and not so long where it was never heard yet. */
function patienceEndsAt({ since }: KeyTenure, key: WireguardPublicKey, tracks: Tracks): number {
  const track = tracks.get(key)
  const grewAt = track?.grewAt ?? null
  if (grewAt !== null && grewAt >= since) return grewAt + handshakeFreshSecondsMax * 1000
  return since + keyTrialSeconds * 1000
}

function claimantsByKey(membership: Membership): ReadonlyMap<WireguardPublicKey, readonly Member[]> {
  const claimants = new Map<WireguardPublicKey, Member[]>()
  for (const member of membership.values()) {
    const { left, publicKey } = member.announcement
    if (left) continue
    const others = claimants.get(publicKey)
    if (others === undefined) claimants.set(publicKey, [member])
    else others.push(member)
  }
  return claimants
}

/**
 * Between whom a choice has to be made, best first: who is proven, what this node declares, one for all that speak for
 * themselves, what others declare. Beside a declaration of its own a node needs none of others.
 */
function candidatesOf(
  claimants: readonly Member[],
  known: KeyTenure | undefined,
  { node: own, proofs }: KeySituation,
): readonly NodeId[] {
  const declared = claimants.filter(({ announcement }) => announcement.declaredBy !== null)
  const ours = declared.filter(({ announcement }) => announcement.declaredBy === own)
  const speaking = claimants.filter(({ announcement }) => announcement.declaredBy === null)
  const speaker =
    speaking.find(({ announcement }) => announcement.node === known?.node) ??
    speaking.find(member => isProven(member, proofs)) ??
    byId(speaking)[0]
  const all = [
    ...ours,
    ...(speaker === undefined ? [] : [speaker]),
    ...(ours.length > 0 ? [] : byId(declared)),
  ]
  return [
    ...all.filter(member => isProven(member, proofs)),
    ...all.filter(member => !isProven(member, proofs)),
  ].map(({ announcement }) => announcement.node)
}

function byId(members: readonly Member[]): readonly Member[] {
  return members.toSorted((a, b) => (a.announcement.node < b.announcement.node ? -1 : 1))
}
