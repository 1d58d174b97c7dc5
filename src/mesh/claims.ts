import {
  addressOf,
  compareAddresses,
  familyOf,
  type InterfaceAddress,
  type IpAddress,
  type Prefix,
  prefixOf,
} from '../model/address.ts'
import type { Announcement } from '../model/announcement.ts'
import type { OwnClaims } from '../model/claims.ts'
import type { SegmentConfiguration, TunnelConfiguration } from '../model/configuration.ts'
import type { MeshId, NodeId } from '../model/node.ts'
import type { Claim, SegmentFacts, Vni } from '../model/segment.ts'
import { derivedAddress, segmentPrefix, vtepPrefix } from './derive.ts'
import { type ClaimRank, claimRanks, credulous, type Judgement } from './judgement.ts'
import type { Holding } from './records.ts'

/** One announced hold on an address. */
export interface Hold extends Claim {
  readonly node: NodeId
  /** How much it counts here. */
  readonly rank: ClaimRank
}

/** Everyone's holds, as they are announced and as they count here. */
export interface Holds {
  readonly vteps: ReadonlyMap<IpAddress, readonly Hold[]>
  /** By VNI and address without length. */
  readonly overlay: ReadonlyMap<string, readonly Hold[]>
}

/** As much of an announcement as holds addresses. */
export type HoldSource = Pick<Announcement, 'node' | 'vtep' | 'vtepClaim' | 'left'> & {
  readonly segments: readonly Pick<SegmentFacts, 'vni' | 'addresses'>[]
}

export function holdsOf(announcements: Iterable<HoldSource>, judgement: Judgement = credulous): Holds {
  const vteps = new Map<IpAddress, Hold[]>()
  const overlay = new Map<string, Hold[]>()
  for (const { node, vtep, vtepClaim, segments, left } of announcements) {
    if (left) continue
    push(vteps, vtep, judgedHold(node, vtepHolding(vtep), vtepClaim, judgement))
    for (const { vni, addresses } of segments)
      for (const claim of addresses) {
        const key = overlayKey(vni, addressOf(claim.address))
        push(overlay, key, judgedHold(node, key, claim, judgement))
      }
  }
  return { vteps, overlay }
}

/** Both; cheap where there are few of the second kind. */
export function withHolds(holds: Holds, more: Holds): Holds {
  return { vteps: merged(holds.vteps, more.vteps), overlay: merged(holds.overlay, more.overlay) }
}

/** Our own holds, as we announce them; nothing while there is no VTEP address, because then nothing is announced. */
export function ownHolds(node: NodeId, claims: OwnClaims): readonly HoldSource[] {
  const { vtep } = claims
  if (vtep === null) return []
  const segments = claims.overlay.map(({ vni, address, since, pinned }) => ({
    vni,
    addresses: [{ address, since, pinned }],
  }))
  return [{ node, vtep: vtep.address, vtepClaim: vtep, left: false, segments }]
}

/** Addresses that follow from one node's id and are announced by another. */
export function falseHolds({
  overlay,
}: Holds): readonly { address: IpAddress; node: NodeId; owner: NodeId }[] {
  return [...overlay].flatMap(([key, holds]) => {
    if (holds.length < 2) return []
    const address = addressOfKey(key)
    const owner = holds.find(({ node }) => isCertified(address, node))?.node
    if (owner === undefined) return []
    return holds.filter(({ node }) => node !== owner).map(({ node }) => ({ address, node, owner }))
  })
}

/** A claim as it counts here. */
export function judgedHold(
  node: NodeId,
  holding: Holding,
  { since, pinned }: Claim,
  { rankOf, sinceOf }: Judgement,
): Hold {
  return { node, since: sinceOf(since), pinned, rank: rankOf(node, holding) }
}

/** Owners of pinned addresses, by what they hold. */
export function pinnedOwners({ vteps, overlay }: Holds): ReadonlyMap<Holding, NodeId> {
  const owners = new Map<Holding, NodeId>()
  const note = (holding: Holding, address: IpAddress, holds: readonly Hold[]) => {
    const node = holds.some(({ pinned }) => pinned) ? ownerOf(address, holds) : null
    if (node !== null && holds.some(hold => hold.node === node && hold.pinned)) owners.set(holding, node)
  }
  for (const [address, holds] of vteps) note(vtepHolding(address), address, holds)
  for (const [key, holds] of overlay) note(key, addressOfKey(key), holds)
  return owners
}

export function vtepHolding(address: IpAddress): Holding {
  return `vtep ${address}`
}

export function overlayKey(vni: Vni, address: IpAddress): string {
  return `${vni} ${address}`
}

/** The one owner every node agrees on; null when nobody holds the address. */
export function ownerOf(address: IpAddress, holds: readonly Hold[] = []): NodeId | null {
  const [first, ...rest] = holds
  if (first === undefined) return null
  return rest.reduce((best, hold) => (compareHolds(address, hold, best) < 0 ? hold : best), first).node
}

/**
 * Certified by derivation, then what counts at all, then pinned, and of pinned ones the live holder's; then the older
 * claim, then the lower id. Automatic claims are so settled alike everywhere.
 */
export function compareHolds(address: IpAddress, a: Hold, b: Hold): number {
  return (
    Number(isCertified(address, b.node)) - Number(isCertified(address, a.node)) ||
    Number(a.rank === claimRanks.none) - Number(b.rank === claimRanks.none) ||
    Number(b.pinned) - Number(a.pinned) ||
    (a.pinned ? a.rank - b.rank : 0) ||
    compareNumbers(a.since, b.since) ||
    (a.node < b.node ? -1 : a.node > b.node ? 1 : 0)
  )
}

/** The networks a segment's addresses are in: configured, pinned, and the derived /64 where no IPv6 is given or refused. */
export function segmentPrefixes(segment: SegmentConfiguration, mesh: MeshId): readonly Prefix[] {
  const given = new Set<Prefix>([...segment.prefixes, ...(segment.addresses ?? []).map(prefixOf)])
  const isDerived = segment.deriveIpv6 && [...given].every(prefix => familyOf(prefix) === 4)
  const derived = isDerived ? [segmentPrefix(mesh, segment.vni)] : []
  return [...given, ...derived].sort(compareAddresses)
}

/** The network of the VTEPs: configured, else the mesh's own. */
export function tunnelPrefix(tunnel: TunnelConfiguration, mesh: MeshId): Prefix {
  return tunnel.prefix ?? vtepPrefix(mesh)
}

/** The address in the key of a hold. */
export function addressOfKey(key: Holding): IpAddress {
  return key.slice(key.indexOf(' ') + 1) as IpAddress
}

/** Infinities are equal, which their difference is not. */
function compareNumbers(a: number, b: number): number {
  return a === b ? 0 : a < b ? -1 : 1
}

function isCertified(address: IpAddress, node: NodeId): boolean {
  if (familyOf(address) === 4) return false
  return derivedAddress(node, prefixOf(`${address}/64` as InterfaceAddress)) === address
}

function push<Key>(map: Map<Key, Hold[]>, key: Key, hold: Hold): void {
  const list = map.get(key)
  if (list === undefined) map.set(key, [hold])
  else list.push(hold)
}

function merged<Key>(
  many: ReadonlyMap<Key, readonly Hold[]>,
  few: ReadonlyMap<Key, readonly Hold[]>,
): ReadonlyMap<Key, readonly Hold[]> {
  const both = new Map(many)
  for (const [key, holds] of few) both.set(key, [...(many.get(key) ?? []), ...holds])
  return both
}
