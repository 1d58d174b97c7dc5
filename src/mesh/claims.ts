import {
  addressOf,
  compareAddresses,
  familyOf,
  type InterfaceAddress,
  type IpAddress,
  interfaceAddress,
  type Prefix,
  prefixContains,
  prefixOf,
} from '../model/address.ts'
import type { Announcement } from '../model/announcement.ts'
import type { OwnClaims, OwnOverlayClaim } from '../model/claims.ts'
import type { SegmentConfiguration, TunnelConfiguration } from '../model/configuration.ts'
import type { MeshId, NodeId } from '../model/node.ts'
import type { Claim, SegmentFacts, Vni } from '../model/segment.ts'
import { candidateAddress, derivedAddress, segmentPrefix, usableHosts, vtepPrefix } from './derive.ts'

/** One announced hold on an address. */
export interface Hold extends Claim {
  readonly node: NodeId
}

/** Everyone's holds, read from announcements alone, so that all nodes find the same owners. */
export interface Holds {
  readonly vteps: ReadonlyMap<IpAddress, readonly Hold[]>
  /** By VNI and address without length. */
  readonly overlay: ReadonlyMap<string, readonly Hold[]>
}

/** An address of ours that another node owns. */
export interface LostClaim {
  readonly address: IpAddress
  /** Null: the VTEP. */
  readonly vni: Vni | null
  readonly owner: NodeId
  readonly pinned: boolean
}

export interface Settlement {
  /** What we hold from now on; the same value when nothing changed. */
  readonly claims: OwnClaims
  /** Pinned addresses that another owns: not brought up. */
  readonly lost: readonly LostClaim[]
  /** Prefixes without a free address. */
  readonly exhausted: readonly Prefix[]
}

export interface ClaimRules {
  readonly node: NodeId
  readonly mesh: MeshId
  readonly tunnel: TunnelConfiguration
  readonly segments: readonly SegmentConfiguration[]
  /** Automatic IPv4 addresses are only chosen once it is known what others hold. */
  readonly mayChoose: boolean
}

/** As much of an announcement as holds addresses. */
export type HoldSource = Pick<Announcement, 'node' | 'vtep' | 'vtepClaim' | 'left'> & {
  readonly segments: readonly Pick<SegmentFacts, 'vni' | 'addresses'>[]
}

export function holdsOf(announcements: Iterable<HoldSource>): Holds {
  const vteps = new Map<IpAddress, Hold[]>()
  const overlay = new Map<string, Hold[]>()
  for (const { node, vtep, vtepClaim, segments, left } of announcements) {
    if (left) continue
    push(vteps, vtep, { node, ...vtepClaim })
    for (const { vni, addresses } of segments)
      for (const { address, since, pinned } of addresses)
        push(overlay, overlayKey(vni, addressOf(address)), { node, since, pinned })
  }
  return { vteps, overlay }
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

export function overlayKey(vni: Vni, address: IpAddress): string {
  return `${vni} ${address}`
}

/** The one owner every node agrees on; null when nobody holds the address. */
export function ownerOf(address: IpAddress, holds: readonly Hold[] | undefined): NodeId | null {
  if (holds === undefined) return null
  return holds.reduce((best, hold) => (compareHolds(address, hold, best) < 0 ? hold : best)).node
}

/** Certified by derivation, then pinned, then the older claim, then the lower id. */
export function compareHolds(address: IpAddress, a: Hold, b: Hold): number {
  return (
    Number(isCertified(address, b.node)) - Number(isCertified(address, a.node)) ||
    Number(b.pinned) - Number(a.pinned) ||
    a.since - b.since ||
    (a.node < b.node ? -1 : a.node > b.node ? 1 : 0)
  )
}

/**
 * What we hold, after what others announced: an automatic claim that lost moves on, a pinned one stays announced
 * and stays down. `holds` are the others' alone.
 */
export function settle(own: OwnClaims, holds: Holds, rules: ClaimRules, wallSeconds: number): Settlement {
  const exhausted: Prefix[] = []
  const vtep = settleVtep(own.vtep, holds, rules, wallSeconds, exhausted)
  const overlay = rules.segments.flatMap(segment =>
    settleSegment(
      own.overlay.filter(claim => claim.vni === segment.vni),
      segment,
      holds,
      rules,
      wallSeconds,
      exhausted,
    ),
  )
  overlay.sort((a, b) => a.vni - b.vni || compareAddresses(a.address, b.address))
  const next: OwnClaims = { vtep, overlay }
  const claims = JSON.stringify(next) === JSON.stringify(own) ? own : next
  return { claims, lost: lostClaims(claims, holds, rules.node), exhausted }
}

/** The networks a segment's addresses are in: configured, pinned, and the derived /64 where no IPv6 is given. */
export function segmentPrefixes(segment: SegmentConfiguration, mesh: MeshId): readonly Prefix[] {
  const given = new Set<Prefix>([...segment.prefixes, ...(segment.addresses ?? []).map(prefixOf)])
  const derived = [...given].some(prefix => familyOf(prefix) === 6) ? [] : [segmentPrefix(mesh, segment.vni)]
  return [...given, ...derived].sort(compareAddresses)
}

/** The network of the VTEPs: configured, else the mesh's own. */
export function tunnelPrefix(tunnel: TunnelConfiguration, mesh: MeshId): Prefix {
  return tunnel.prefix ?? vtepPrefix(mesh)
}

function settleVtep(
  own: OwnClaims['vtep'],
  holds: Holds,
  rules: ClaimRules,
  wallSeconds: number,
  exhausted: Prefix[],
): OwnClaims['vtep'] {
  const prefix = tunnelPrefix(rules.tunnel, rules.mesh)
  const { address } = rules.tunnel
  if (address !== null) return { address, since: keptSince(own, address, wallSeconds), pinned: true }
  if (familyOf(prefix) === 6) return { address: derivedAddress(rules.node, prefix), since: 0, pinned: false }
  const isFree = (candidate: IpAddress) => !holds.vteps.has(candidate)
  const wins = (candidate: IpAddress, claim: Claim) =>
    winsAgainst(candidate, { node: rules.node, ...claim, pinned: false }, holds.vteps.get(candidate))
  if (own !== null && prefixContains(prefix, own.address) && wins(own.address, own))
    return { ...own, pinned: false }
  if (!rules.mayChoose) return null
  const free = firstFree(rules.node, prefix, isFree)
  if (free === null) exhausted.push(prefix)
  return free === null ? null : { address: free, since: wallSeconds, pinned: false }
}

function settleSegment(
  own: readonly OwnOverlayClaim[],
  segment: SegmentConfiguration,
  holds: Holds,
  rules: ClaimRules,
  wallSeconds: number,
  exhausted: Prefix[],
): OwnOverlayClaim[] {
  const { vni } = segment
  const pinned = (segment.addresses ?? []).map(address => ({
    vni,
    address,
    since: keptSince(
      own.find(claim => claim.address === address),
      address,
      wallSeconds,
    ),
    pinned: true,
  }))
  const pinnedFamilies = new Set(pinned.map(({ address }) => familyOf(address)))
  const automatic = segmentPrefixes(segment, rules.mesh)
    .filter(prefix => !pinnedFamilies.has(familyOf(prefix)))
    .flatMap(prefix => automaticClaim(own, vni, prefix, holds, rules, wallSeconds, exhausted))
  return [...pinned, ...automatic]
}

function automaticClaim(
  own: readonly OwnOverlayClaim[],
  vni: Vni,
  prefix: Prefix,
  holds: Holds,
  rules: ClaimRules,
  wallSeconds: number,
  exhausted: Prefix[],
): OwnOverlayClaim[] {
  if (familyOf(prefix) === 6) {
    const address = interfaceAddress(derivedAddress(rules.node, prefix), prefix)
    return [{ vni, address, since: 0, pinned: false }]
  }
  const kept = own.find(({ address, since }) => {
    const bare = addressOf(address)
    const hold = { node: rules.node, since, pinned: false }
    return prefixOf(address) === prefix && winsAgainst(bare, hold, holds.overlay.get(overlayKey(vni, bare)))
  })
  if (kept !== undefined) return [{ ...kept, pinned: false }]
  if (!rules.mayChoose) return []
  const free = firstFree(rules.node, prefix, candidate => !holds.overlay.has(overlayKey(vni, candidate)))
  if (free === null) exhausted.push(prefix)
  return free === null
    ? []
    : [{ vni, address: interfaceAddress(free, prefix), since: wallSeconds, pinned: false }]
}

function firstFree(node: NodeId, prefix: Prefix, isFree: (address: IpAddress) => boolean): IpAddress | null {
  const { count } = usableHosts(prefix)
  for (let attempt = 0; attempt < count; attempt += 1) {
    const address = candidateAddress(node, prefix, attempt)
    if (isFree(address)) return address
  }
  return null
}

function keptSince(
  own: (Claim & { readonly address: IpAddress | InterfaceAddress }) | null | undefined,
  address: IpAddress | InterfaceAddress,
  wallSeconds: number,
): number {
  return own?.address === address ? own.since : wallSeconds
}

function winsAgainst(address: IpAddress, own: Hold, others: readonly Hold[] | undefined): boolean {
  return others === undefined || ownerOf(address, [own, ...others]) === own.node
}

function lostClaims(claims: OwnClaims, holds: Holds, node: NodeId): readonly LostClaim[] {
  const own = [
    ...(claims.vtep === null
      ? []
      : [{ ...claims.vtep, vni: null, others: holds.vteps.get(claims.vtep.address) }]),
    ...claims.overlay.map(claim => {
      const address = addressOf(claim.address)
      return { ...claim, address, others: holds.overlay.get(overlayKey(claim.vni, address)) }
    }),
  ]
  return own.flatMap(({ address, vni, since, pinned, others }) => {
    const owner = ownerOf(address, [{ node, since, pinned }, ...(others ?? [])])
    return owner === null || owner === node ? [] : [{ address, vni, owner, pinned }]
  })
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
