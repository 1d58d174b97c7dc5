import type { Announcement } from '../model/announcement.ts'
import type { StaticMember } from '../model/configuration.ts'
import { declarationSeconds } from '../model/limits.ts'
import type { Member, Membership } from '../model/member.ts'
import type { MeshId, NodeId, Sequence } from '../model/node.ts'
import type { OverlayAddress } from '../model/segment.ts'
import type { WireguardPublicKey } from '../model/wireguard-key.ts'
import { saysTheSame } from './compose.ts'
import { derivedAddress, staticNodeId, vtepPrefix } from './derive.ts'
import type { KeyTenures } from './key-claims.ts'
import { sortedMembers } from './membership.ts'

/**
 * Everyone who counts, in the order of their ids: of several that claim one machine's key, whose word on it stands.
 * Where that is not known yet, a machine that speaks for itself needs nobody to declare it, and of several declarations
 * the first by id counts. `own` is this node's key.
 */
export function actingMembers(
  membership: Membership,
  own: WireguardPublicKey,
  keys: KeyTenures = new Map(),
): readonly Member[] {
  const members = sortedMembers(membership)
  if (members.every(member => !isStatic(member))) return members
  const declared = new Set<WireguardPublicKey>()
  for (const [key, { node }] of keys) if (isDeclared(membership.get(node), key)) declared.add(key)
  const spoken = new Set<WireguardPublicKey>([own])
  for (const member of members)
    if (!isStatic(member) && !member.announcement.left && !declared.has(member.announcement.publicKey))
      spoken.add(member.announcement.publicKey)
  return members.filter(member => {
    const { node, publicKey, left } = member.announcement
    if (left && !isStatic(member)) return true
    if (declared.has(publicKey) && publicKey !== own) return keys.get(publicKey)?.node === node || left
    if (!isStatic(member)) return true
    if (spoken.has(publicKey)) return false
    if (!left) spoken.add(publicKey)
    return true
  })
}

function isDeclared(member: Member | undefined, key: WireguardPublicKey): boolean {
  if (member === undefined || member.announcement.left) return false
  return member.announcement.declaredBy !== null && member.announcement.publicKey === key
}

/** Who declares, and from what. */
export interface Declarer {
  readonly node: NodeId
  readonly mesh: MeshId
  /** Ours; a declaration comes after what was said before under the same id. */
  readonly incarnation: number
  readonly wallSeconds: number
  /** Monotonic milliseconds. */
  readonly now: number
}

/** What is to be said of static members now: of those that are new or changed, and farewells for those that are gone. */
export function dueDeclarations(
  wanted: readonly StaticMember[],
  membership: Membership,
  declarer: Declarer,
): readonly Announcement[] {
  const declared = wanted.map(member => declare(member, membership, declarer))
  const ids = new Set(declared.map(({ node }) => node))
  const gone = [...membership.values()].filter(
    ({ announcement: { node, declaredBy, left } }) => declaredBy === declarer.node && !ids.has(node) && !left,
  )
  return [
    ...declared.filter(announcement => isNews(announcement, membership.get(announcement.node), declarer.now)),
    ...gone.map(({ announcement }) => farewell(announcement, declarer)),
  ]
}

/** What a declared machine says when it is taken back. */
export function farewell(announcement: Announcement, { incarnation }: Pick<Declarer, 'incarnation'>) {
  const sequence = nextSequence(announcement.sequence, incarnation)
  return { ...announcement, sequence, endpoints: [], gossip: [], segments: [], gateway: null, left: true }
}

function declare(
  { name, publicKey, endpoint, vtep, mtu, segments }: StaticMember,
  membership: Membership,
  { node: declaredBy, mesh, incarnation, wallSeconds }: Declarer,
): Announcement {
  const node = staticNodeId(declaredBy, publicKey)
  const before = membership.get(node)?.announcement
  const address = vtep ?? derivedAddress(node, vtepPrefix(mesh))
  return {
    node,
    declaredBy,
    sequence: nextSequence(before?.sequence, incarnation),
    name,
    publicKey,
    endpoints: endpoint === null ? [] : [{ place: endpoint, kind: 'configured' }],
    vtep: address,
    vtepClaim: { since: before?.vtep === address ? before.vtepClaim.since : wallSeconds, pinned: true },
    gossip: [],
    segments: segments.map(({ vni, mac, addresses }) => ({
      vni,
      mac,
      addresses: addresses.map((overlay): OverlayAddress => {
        const known = before?.segments.find(facts => facts.vni === vni)?.addresses
        const since = known?.find(claim => claim.address === overlay)?.since ?? wallSeconds
        return { address: overlay, since, pinned: true }
      }),
    })),
    gateway: null,
    privileged: false,
    mtu,
    heartbeatSeconds: declarationSeconds,
    software: '',
    left: false,
  }
}

function isNews(announcement: Announcement, known: Member | undefined, now: number): boolean {
  if (known === undefined || !saysTheSame(announcement, known.announcement)) return true
  return now - known.heardAt > declarationSeconds * 1000
}

function nextSequence(before: Sequence | undefined, incarnation: number): Sequence {
  return before !== undefined && before.incarnation >= incarnation
    ? { incarnation: before.incarnation, counter: before.counter + 1 }
    : { incarnation, counter: 0 }
}

function isStatic({ announcement }: Member): boolean {
  return announcement.declaredBy !== null
}
