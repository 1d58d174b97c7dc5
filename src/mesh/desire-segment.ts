import {
  addressOf,
  compareAddresses,
  compareText,
  type InterfaceAddress,
  type IpAddress,
  isHostOf,
  type Prefix,
  prefixContains,
  sortedByAddress,
} from '../model/address.ts'
import type { SegmentConfiguration } from '../model/configuration.ts'
import type { NeighbourEntry, SegmentState, UnicastEntry } from '../model/kernel-state.ts'
import type { Member } from '../model/member.ts'
import { segmentMtu, type Vni } from '../model/segment.ts'
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
}

/** One segment as it should be: an entry for every reachable member that is in it, and for no other. */
export function desireSegment(
  segment: SegmentConfiguration,
  intent: Intent,
  world: World,
  reachable: readonly Member[],
  { vtep, vteps, mtu }: Lower,
): SegmentState {
  const { vni, port, bridge, ageingSeconds } = segment
  const inSegment = reachable.filter(({ announcement }) =>
    announcement.segments.some(facts => facts.vni === vni),
  )
  const tunnel = intent.configuration.tunnel.interface
  return {
    interface: segment.interface,
    vni,
    port,
    local: vtep,
    lower: tunnel,
    mac: segmentMac(intent.node, vni),
    up: true,
    mtu: Math.min(segment.mtu ?? Number.POSITIVE_INFINITY, segmentMtu(mtu, vtep)),
    ipv6: true,
    ageingSeconds,
    bridge,
    addresses: ownAddresses(segment, intent),
    flood: sortedByAddress(
      inSegment.map(({ announcement }) => announcement.vtep),
      vtep => vtep,
    ),
    unicast: desireUnicast(inSegment, vni),
    neighbours: desireNeighbours(inSegment, segment, intent, world),
    guard: { port, tunnel, vteps },
  }
}

function ownAddresses(segment: SegmentConfiguration, intent: Intent): readonly InterfaceAddress[] {
  const isLost = (address: IpAddress) =>
    intent.lost.some(lost => lost.vni === segment.vni && lost.address === address)
  return intent.claims.overlay
    .filter(({ vni, address }) => vni === segment.vni && !isLost(addressOf(address)))
    .map(({ address }) => address)
    .sort(compareAddresses)
}

function desireUnicast(members: readonly Member[], vni: Vni): readonly UnicastEntry[] {
  return members
    .flatMap(({ announcement: { segments, vtep } }) =>
      segments.filter(facts => facts.vni === vni).map(({ mac }) => ({ mac, vtep })),
    )
    .sort((a, b) => compareText(a.mac, b.mac))
}

/** Only owners, and only hosts of the segment's own networks: a liar cannot place a neighbour elsewhere. */
function desireNeighbours(
  members: readonly Member[],
  segment: SegmentConfiguration,
  intent: Intent,
  world: World,
): readonly NeighbourEntry[] {
  const networks = segmentPrefixes(segment, intent.mesh)
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
          .map(address => ({ address, mac })),
      ),
  )
  return sortedByAddress(entries, ({ address }) => address)
}

function isHostOfSome(networks: readonly Prefix[], address: IpAddress): boolean {
  const around = networks.filter(network => prefixContains(network, address))
  return around.length > 0 && around.every(network => isHostOf(network, address))
}
