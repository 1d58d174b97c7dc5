import {
  addressOf,
  compareAddresses,
  compareText,
  type InterfaceAddress,
  type IpAddress,
  isHostOf,
  type MacAddress,
  type Prefix,
  prefixContains,
  prefixOf,
  sortedByAddress,
} from '../model/address.ts'
import type { SegmentConfiguration } from '../model/configuration.ts'
import type { BridgeState, NeighbourEntry, SegmentState, UnicastEntry } from '../model/kernel-state.ts'
import { distrusting, type Trusting } from '../model/link-trust.ts'
import type { Member } from '../model/member.ts'
import { segmentMtu, type Vni } from '../model/segment.ts'
import { usableBridge } from './bridge.ts'
import { overlayKey, ownerOf, segmentPrefixes } from './claims.ts'
import { segmentMac } from './derive.ts'
import type { Intent, World } from './desire.ts'

/** Where a segment's frames go, the same for all segments of the tunnel. */
export interface Lower {
  readonly vtep: IpAddress
  /** The network of all VTEPs. */
  readonly vteps: Prefix
  /** MTU of the tunnel, bytes. */
  readonly mtu: number
  /** VTEPs that may send from any source port; null: all. */
  readonly exempt: readonly IpAddress[] | null
}

/** One segment as it should be: an entry for every reachable member that is in it, and for no other. */
export function desireSegment(
  segment: SegmentConfiguration,
  intent: Intent,
  world: World,
  reachable: readonly Member[],
  { vtep, vteps, mtu, exempt }: Lower,
): SegmentState {
  const { vni, port, ageingSeconds } = segment
  const bridge = usableBridge(segment, intent)
  const inSegment = membersIn(vni, reachable)
  const mac = segmentMac(intent.node, vni)
  const unicast = desireUnicast(inSegment, vni, mac)
  const tunnel = intent.configuration.tunnel.interface
  return {
    interface: segment.interface,
    vni,
    port,
    local: vtep,
    lower: tunnel,
    mac,
    up: true,
    mtu: Math.min(segment.mtu ?? Number.POSITIVE_INFINITY, segmentMtu(mtu, vtep)),
    ipv6: true,
    // A port of a bridge has no routes: there the bridge decides.
    ...(bridge === null ? trustOf(segment) : distrusting),
    ageingSeconds,
    privileged: true,
    bridge,
    suppression: bridge !== null,
    portMacs: bridge === null ? [] : unicast.map(({ mac }) => mac).sort(compareText),
    addresses: bridge === null ? ownAddresses(segment, intent) : [],
    flood: sortedByAddress(
      inSegment.map(({ announcement }) => announcement.vtep),
      vtep => vtep,
    ),
    unicast,
    neighbours: bridge === null ? desireNeighbours(inSegment, segment, intent, world) : [],
    guard: { port, tunnel, vteps, privileged: true, exempt },
    floodLimit: intent.limitsFloods ? segment.floodLimit : null,
  }
}

/** What a segment's bridge should bear of ours; null when nothing, or when the segment is in none. */
export function desireBridge(
  segment: SegmentConfiguration,
  intent: Intent,
  world: World,
  reachable: readonly Member[],
): BridgeState | null {
  const bridge = usableBridge(segment, intent)
  if (bridge === null) return bareBridge(segment, intent)
  // What the operator put there is not ours to change, or to take away one day.
  const isTheirs = (address: InterfaceAddress) =>
    intent.networks.some(each => each.device === bridge && each.address === addressOf(address))
  const addresses = ownAddresses(segment, intent).filter(address => !isTheirs(address))
  const neighbours = desireNeighbours(membersIn(segment.vni, reachable), segment, intent, world)
  const isOwn = intent.bridges.find(facts => facts.interface === bridge)?.own ?? true
  // Its own MAC, so that it does not take another one with each port that comes.
  const mac = isOwn ? segmentMac(intent.node, segment.vni) : null
  if (!isOwn && addresses.length === 0 && neighbours.length === 0) return null
  const trust = isOwn ? trustOf(segment) : distrusting
  return { interface: bridge, mac, up: true, ...trust, addresses, neighbours }
}

/** One of our own stays where it is while its segment is kept out of it: machines are on it. */
function bareBridge({ vni, bridge }: SegmentConfiguration, intent: Intent): BridgeState | null {
  const facts = intent.bridges.find(({ interface: name }) => name === bridge?.name)
  if (facts === undefined || !facts.own || !intent.keptOut.has(vni)) return null
  const mac = segmentMac(intent.node, vni)
  return { interface: facts.interface, mac, up: true, ...distrusting, addresses: [], neighbours: [] }
}

function trustOf({ routerAdvertisements }: SegmentConfiguration): Trusting {
  return { trusts: routerAdvertisements ? 'routers' : 'none', learned: false }
}

function membersIn(vni: Vni, members: readonly Member[]): readonly Member[] {
  return members.filter(({ announcement }) => announcement.segments.some(facts => facts.vni === vni))
}

function ownAddresses(segment: SegmentConfiguration, intent: Intent): readonly InterfaceAddress[] {
  const isLost = (address: IpAddress) =>
    intent.lost.some(lost => lost.vni === segment.vni && lost.address === address)
  return intent.claims.overlay
    .filter(({ vni, address }) => vni === segment.vni && !isLost(addressOf(address)))
    .filter(({ address }) => !intent.refused.has(prefixOf(address)))
    .map(({ address }) => address)
    .sort(compareAddresses)
}

/** A node's MAC is its own by derivation; what is declared of a machine without lnetd comes after that. */
function desireUnicast(members: readonly Member[], vni: Vni, own: MacAddress): readonly UnicastEntry[] {
  const places = new Map<MacAddress, IpAddress>()
  for (const { announcement } of nodesFirst(members))
    for (const { mac } of announcement.segments.filter(facts => facts.vni === vni))
      if (mac !== null && mac !== own && !places.has(mac)) places.set(mac, announcement.vtep)
  return Array.from(places, ([mac, vtep]) => ({ mac, vtep })).sort((a, b) => compareText(a.mac, b.mac))
}

function nodesFirst(members: readonly Member[]): readonly Member[] {
  const isStatic = ({ announcement }: Member) => announcement.declaredBy !== null
  return members.some(isStatic)
    ? [...members.filter(member => !isStatic(member)), ...members.filter(isStatic)]
    : members
}

/** Only owners, and only hosts of the segment's own networks: a liar cannot place a neighbour elsewhere. */
function desireNeighbours(
  members: readonly Member[],
  segment: SegmentConfiguration,
  intent: Intent,
  world: World,
): readonly NeighbourEntry[] {
  const networks = segmentPrefixes(segment, intent.mesh).filter(network => !intent.refused.has(network))
  const entries = members.flatMap(({ announcement: { node, segments } }) =>
    segments
      .filter(({ vni }) => vni === segment.vni)
      .flatMap(({ mac, addresses }) =>
        addresses
          .map(({ address }) => addressOf(address))
          .filter(address => isHostOfSome(networks, address))
          .filter(
            address => ownerOf(address, world.holds.overlay.get(overlayKey(segment.vni, address))) === node,
          )
          .flatMap(address => (mac === null ? [] : [{ address, mac }])),
      ),
  )
  return sortedByAddress(entries, ({ address }) => address)
}

function isHostOfSome(networks: readonly Prefix[], address: IpAddress): boolean {
  const around = networks.filter(network => prefixContains(network, address))
  return around.length > 0 && around.every(network => isHostOf(network, address))
}
