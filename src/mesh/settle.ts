import {
  addressOf,
  compareAddresses,
  familyOf,
  type InterfaceAddress,
  type IpAddress,
  interfaceAddress,
  type Prefix,
  prefixContains,
} from '../model/address.ts'
import type { OwnClaims, OwnOverlayClaim } from '../model/claims.ts'
import type { SegmentConfiguration, TunnelConfiguration } from '../model/configuration.ts'
import type { MeshId, NodeId } from '../model/node.ts'
import type { Claim, Vni } from '../model/segment.ts'
import {
  type Hold,
  type Holds,
  judgedHold,
  overlayKey,
  ownerOf,
  segmentPrefixes,
  tunnelPrefix,
  vtepHolding,
} from './claims.ts'
import { candidateAddress, derivedAddress, usableHosts } from './derive.ts'
import { claimRanks, isCredible, type Judgement } from './judgement.ts'

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
  readonly judgement: Judgement
}

/**
 * What we hold, after what others announced: an automatic claim that lost moves on, a pinned one stays announced
 * and stays down. `others` are the others' holds alone.
 */
export function settle(own: OwnClaims, others: Holds, rules: ClaimRules, wallSeconds: number): Settlement {
  const exhausted: Prefix[] = []
  const context: Context = { own, others, rules, wallSeconds, exhausted }
  const vtep = settleVtep(context)
  const overlay = rules.segments.flatMap(segment => settleSegment(segment, context))
  overlay.sort((a, b) => a.vni - b.vni || compareAddresses(a.address, b.address))
  const next: OwnClaims = { vtep, overlay }
  const claims = JSON.stringify(next) === JSON.stringify(own) ? own : next
  return { claims, lost: lostClaims(claims, others, rules), exhausted }
}

interface Context {
  readonly own: OwnClaims
  readonly others: Holds
  readonly rules: ClaimRules
  readonly wallSeconds: number
  readonly exhausted: Prefix[]
}

interface AddressClaim extends Claim {
  readonly address: IpAddress
}

function settleVtep(context: Context): AddressClaim | null {
  const { own, others, rules } = context
  const { address } = rules.tunnel
  if (address !== null) return { address, since: keptSince(own.vtep, address, context), pinned: true }
  const held = own.vtep === null ? [] : [own.vtep]
  return automaticClaim(tunnelPrefix(rules.tunnel, rules.mesh), held, bare => others.vteps.get(bare), context)
}

function settleSegment(segment: SegmentConfiguration, context: Context): OwnOverlayClaim[] {
  const { vni } = segment
  if (segment.addresses?.length === 0) return []
  const held = context.own.overlay.filter(claim => claim.vni === vni)
  const pinned = (segment.addresses ?? []).map((address): OwnOverlayClaim => {
    const before = held.find(claim => claim.address === address) ?? null
    return { vni, address, since: keptSince(before, address, context), pinned: true }
  })
  const automatic = segmentPrefixes(segment, context.rules.mesh)
    .filter(prefix => !pinned.some(({ address }) => prefixContains(prefix, addressOf(address))))
    .flatMap((prefix): OwnOverlayClaim[] => {
      const bare = held.map(claim => ({ ...claim, address: addressOf(claim.address) }))
      const holders = (address: IpAddress) => context.others.overlay.get(overlayKey(vni, address))
      const claim = automaticClaim(prefix, bare, holders, context)
      if (claim === null) return []
      return [{ vni, address: interfaceAddress(claim.address, prefix), since: claim.since, pinned: false }]
    })
  return [...pinned, ...automatic]
}

/** Derived for IPv6; for IPv4 the one we have as long as it wins, else a free one. Null when there is none (yet). */
function automaticClaim(
  prefix: Prefix,
  held: readonly AddressClaim[],
  holders: (address: IpAddress) => readonly Hold[] | undefined,
  { rules, wallSeconds, exhausted }: Context,
): AddressClaim | null {
  const { node, judgement } = rules
  if (familyOf(prefix) === 6) return { address: derivedAddress(node, prefix), since: 0, pinned: false }
  const kept = held.find(({ address, since }) => {
    const others = holders(address) ?? []
    return (
      prefixContains(prefix, address) &&
      ownerOf(address, [
        { node, since: judgement.sinceOf(since), pinned: false, rank: claimRanks.live },
        ...others,
      ]) === node
    )
  })
  if (kept !== undefined) {
    const since = keptSince(kept, kept.address, { wallSeconds })
    return { address: kept.address, since, pinned: false }
  }
  if (!rules.mayChoose) return null
  const free = firstFree(node, prefix, address => holders(address) === undefined)
  if (free === null) exhausted.push(prefix)
  return free === null ? null : { address: free, since: wallSeconds, pinned: false }
}

function firstFree(node: NodeId, prefix: Prefix, isFree: (address: IpAddress) => boolean): IpAddress | null {
  const { count } = usableHosts(prefix)
  for (let attempt = 0; attempt < count; attempt += 1) {
    const address = candidateAddress(node, prefix, attempt)
    if (isFree(address)) return address
  }
  return null
}

/** Anew where this machine's clock was wrong when it was taken: others do not count such a time. */
function keptSince(
  before: (Claim & { readonly address: IpAddress | InterfaceAddress }) | null,
  address: IpAddress | InterfaceAddress,
  { wallSeconds }: Pick<Context, 'wallSeconds'>,
): number {
  if (before?.address !== address) return wallSeconds
  return isCredible(before.since, wallSeconds) || !isCredible(wallSeconds, wallSeconds)
    ? before.since
    : wallSeconds
}

function lostClaims(claims: OwnClaims, others: Holds, { node, judgement }: ClaimRules): readonly LostClaim[] {
  const { vtep, overlay } = claims
  const own = [
    ...(vtep === null ? [] : [{ ...vtep, vni: null }]),
    ...overlay.map(claim => ({ ...claim, address: addressOf(claim.address) })),
  ]
  return own.flatMap(claim => {
    const { address, vni, pinned } = claim
    const key = vni === null ? vtepHolding(address) : overlayKey(vni, address)
    const rivals = vni === null ? others.vteps.get(address) : others.overlay.get(key)
    const owner = ownerOf(address, [judgedHold(node, key, claim, judgement), ...(rivals ?? [])])
    return owner === null || owner === node ? [] : [{ address, vni, owner, pinned }]
  })
}
