import fc from 'fast-check'
import { segmentMac, staticNodeId } from '../../src/mesh/derive.ts'
import type { Prefix } from '../../src/model/address.ts'
import {
  addressOf,
  compareAddresses,
  endpoint,
  type HostPort,
  type InterfaceAddress,
  type IpAddress,
  type Port,
  parseIpAddress,
} from '../../src/model/address.ts'
import { type Announcement, endpointKinds } from '../../src/model/announcement.ts'
import type { GatewayOffer } from '../../src/model/gateway.ts'
import { gatewayRoutesMax, sequenceNumberMax } from '../../src/model/limits.ts'
import { type NodeName, parseNodeName } from '../../src/model/node.ts'
import type { OverlayAddress, SegmentFacts, Vni } from '../../src/model/segment.ts'
import { nodeId, publicKey } from './world.ts'

/** Announcements of every shape that a node may send, small enough to fit. */

const count = fc.integer({ min: 0, max: sequenceNumberMax })

const address = fc
  .oneof(fc.ipV4(), fc.ipV6())
  .map(parseIpAddress)
  .filter((parsed): parsed is IpAddress => parsed !== null)

const place = fc.oneof(
  fc
    .tuple(address, fc.integer({ min: 1, max: 65_535 }))
    .map(([host, port]) => endpoint(host, port as Port) as string),
  fc.integer({ min: 1, max: 65_535 }).map(port => `vps.example.org:${port}`),
) as fc.Arbitrary<string> as fc.Arbitrary<HostPort>

const claim = { since: fc.integer({ min: 0, max: 2 ** 40 }), pinned: fc.boolean() }

const overlayAddress: fc.Arbitrary<OverlayAddress> = fc.record({
  address: fc
    .tuple(address, fc.integer({ min: 0, max: 32 }))
    .map(([host, length]) => `${host}/${length}` as InterfaceAddress),
  ...claim,
})

const overlayAddresses = fc
  .uniqueArray(overlayAddress, { maxLength: 4, selector: item => addressOf(item.address) })
  .map(list => list.sort((a, b) => compareAddresses(a.address, b.address)))

function segments(node: Announcement['node']): fc.Arbitrary<readonly SegmentFacts[]> {
  const vni = fc.integer({ min: 1, max: 2 ** 24 - 1 }) as fc.Arbitrary<number> as fc.Arbitrary<Vni>
  const segment = fc.record({ vni, addresses: overlayAddresses })
  return fc
    .uniqueArray(segment, { maxLength: 3, selector: item => item.vni })
    .map(list =>
      list.sort((a, b) => a.vni - b.vni).map(item => ({ ...item, mac: segmentMac(node, item.vni) })),
    )
}

const name = fc
  .stringMatching(/^[a-z0-9]([a-z0-9-]{0,40}[a-z0-9])?$/)
  .filter((text): text is NodeName => parseNodeName(text) !== null)

const printable = fc.string({
  unit: fc.integer({ min: 0x20, max: 0x7e }).map(code => String.fromCharCode(code)),
  maxLength: 32,
})

/** What a node says of itself. */
export const anyAnnouncement: fc.Arbitrary<Announcement> = fc
  .integer({ min: 1, max: 1000 })
  .chain(number => said(nodeId(number), publicKey(number), null, segments(nodeId(number))))

/** What a node says of a machine without lnetd, whose MACs it may not know. */
export const anyDeclaration: fc.Arbitrary<Announcement> = fc.integer({ min: 1, max: 1000 }).chain(number => {
  const node = staticNodeId(nodeId(number), publicKey(2000))
  const declared = fc
    .tuple(segments(node), fc.boolean())
    .map(([list, isKnown]) => list.map(facts => (isKnown ? facts : { ...facts, mac: null })))
  return said(node, publicKey(2000), nodeId(number), declared)
})

/** Places in the list of segments that every node has one of. */
const gateway: fc.Arbitrary<GatewayOffer | null> = fc.option(
  fc.record({
    everywhere: fc.boolean(),
    segments: fc.constant([]),
    routes: fc
      .uniqueArray(fc.integer({ min: 0, max: 255 }), { maxLength: gatewayRoutesMax })
      .map(thirds => thirds.map(third => `10.20.${third}.0/24` as Prefix).sort(compareAddresses)),
  }),
)

function said(
  node: Announcement['node'],
  key: Announcement['publicKey'],
  declaredBy: Announcement['declaredBy'],
  inSegments: fc.Arbitrary<readonly SegmentFacts[]>,
): fc.Arbitrary<Announcement> {
  return fc.record({
    node: fc.constant(node),
    declaredBy: fc.constant(declaredBy),
    sequence: fc.record({ incarnation: count, counter: count }),
    name,
    publicKey: fc.constant(key),
    endpoints: fc.array(fc.record({ place, kind: fc.constantFrom(...endpointKinds) }), { maxLength: 8 }),
    vtep: address,
    vtepClaim: fc.record(claim),
    gossip: fc.array(printable, { maxLength: 8 }),
    gateway: declaredBy === null ? gateway : fc.constant(null),
    privileged: declaredBy === null ? fc.boolean() : fc.constant(false),
    segments: inSegments,
    mtu: fc.integer({ min: 1280, max: 65_455 }),
    heartbeatSeconds: fc.integer({ min: 1, max: 86_400 }),
    software: printable,
    left: fc.boolean(),
  })
}
