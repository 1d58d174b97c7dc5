import { type Holds, holdsOf, ownerOf } from '../mesh/claims.ts'
import { totalBytes } from '../mesh/history.ts'
import { type TunnelTrack, tunnelLiveness } from '../mesh/liveness.ts'
import { isProven } from '../mesh/proof.ts'
import { actingMembers } from '../mesh/static-members.ts'
import { compareText, hostAddress, type IpAddress } from '../model/address.ts'
import type { Announcement } from '../model/announcement.ts'
import type { SegmentState } from '../model/kernel-state.ts'
import type { Member } from '../model/member.ts'
import type { NodeId, NodeName } from '../model/node.ts'
import type { SegmentFacts, Vni } from '../model/segment.ts'
import type { WireguardPublicKey } from '../model/wireguard-key.ts'
import { type PeerRow, type PeerSegment, type PeerState, type PeersView, schema } from './protocol.ts'
import { type Circumstances, reasonOf, vtepRefusal } from './reason.ts'
import type { Snapshot } from './snapshot.ts'
import { standingNow } from './standing.ts'

/** One row a member, as `lnetctl peers` shows them. */
export function peersView(snapshot: Snapshot): PeersView {
  const context = contextOf(snapshot)
  const peers = context.members
    .map(member => memberRow(member, context))
    .sort((a, b) => compareText(a.name, b.name) || compareText(a.node, b.node))
  return { schema, mesh: snapshot.mesh, self: selfRow(context), peers }
}

/** A snapshot, and what every row looks up in it. */
interface Context {
  readonly snapshot: Snapshot
  readonly members: readonly Member[]
  readonly holds: Holds
  readonly names: ReadonlyMap<NodeId, NodeName>
  readonly segments: ReadonlyMap<Vni, LocalSegment>
  /** Keys of the peers in the kernel. */
  readonly peers: ReadonlySet<WireguardPublicKey>
}

interface LocalSegment {
  readonly interface: string
  readonly flood: ReadonlySet<IpAddress>
}

function contextOf(snapshot: Snapshot): Context {
  const members = actingMembers(snapshot.membership, snapshot.publicKey, snapshot.keys)
  const others = members.map(member => member.announcement)
  const everyone = snapshot.self === null ? others : [snapshot.self, ...others]
  return {
    snapshot,
    members,
    holds: holdsOf(everyone, snapshot.judgement),
    names: new Map(everyone.map(({ node, name }) => [node, name])),
    peers: new Set((snapshot.state?.tunnel?.peers ?? []).map(({ publicKey }) => publicKey)),
    segments: new Map((snapshot.state?.segments ?? []).map(state => [state.vni, localSegment(state)])),
  }
}

function localSegment({ interface: name, flood }: SegmentState): LocalSegment {
  return { interface: name, flood: new Set(flood) }
}

function memberRow(member: Member, context: Context): PeerRow {
  const { announcement } = member
  const track = context.snapshot.tracks.get(announcement.publicKey) ?? null
  const about = circumstances(member, track, context)
  const { handshakeAt } = about
  const bytes = track === null ? { received: 0, sent: 0 } : totalBytes(track)
  return {
    name: announcement.name,
    node: announcement.node,
    public_key: announcement.publicKey,
    vtep: announcement.vtep,
    ...endpointRow(track, announcement),
    state: stateOf(about),
    gossip: about.standing,
    seen_seconds: wholeSeconds(about.seenSeconds),
    handshake_seconds: handshakeAt === null ? null : wholeSeconds(about.wallSeconds - handshakeAt),
    rx_bytes: bytes.received,
    tx_bytes: bytes.sent,
    mtu: announcement.mtu,
    version: announcement.software,
    reason: reasonOf(about),
    segments: announcement.segments.map(facts => segmentRow(facts, announcement.vtep, context)),
    ...staticRow(announcement.declaredBy, context),
  }
}

/** Nothing is measured of a tunnel to oneself: the counters are the sums over all members. */
function selfRow(context: Context): PeerRow | null {
  const { self, state, tracks } = context.snapshot
  if (self === null) return null
  const first = self.endpoints[0] ?? null
  const up = state?.tunnel?.up === true
  const counted = [...tracks.values()].map(totalBytes)
  return {
    name: self.name,
    node: self.node,
    public_key: self.publicKey,
    vtep: self.vtep,
    endpoint: first?.place ?? null,
    endpoint_kind: first?.kind ?? null,
    state: self.left ? 'left' : state === null ? 'unknown' : up ? 'up' : 'down',
    gossip: self.left ? 'left' : 'live',
    seen_seconds: 0,
    handshake_seconds: null,
    rx_bytes: counted.reduce((sum, { received }) => sum + received, 0),
    tx_bytes: counted.reduce((sum, { sent }) => sum + sent, 0),
    mtu: self.mtu,
    version: self.software,
    reason: selfReason(context.snapshot),
    segments: self.segments.map(facts => segmentRow(facts, self.vtep, context)),
  }
}

function staticRow(declaredBy: NodeId | null, { names }: Context): Pick<PeerRow, 'static_by'> {
  return declaredBy === null ? {} : { static_by: names.get(declaredBy) ?? declaredBy }
}

function circumstances(member: Member, track: TunnelTrack | null, context: Context): Circumstances {
  const { node, declaredBy, name, vtep, endpoints } = member.announcement
  const { now, wallSeconds, vteps, state } = context.snapshot
  const owner = ownerOf(vtep, context.holds.vteps.get(vtep)) ?? node
  return {
    node,
    isStatic: declaredBy !== null,
    standing: standingNow(member, track, context.snapshot),
    seenSeconds: (now - member.heardAt) / 1000,
    vtep,
    vteps,
    vtepOwner: { node: owner, name: context.names.get(owner) ?? name },
    endpoints,
    paths: context.snapshot.paths,
    track,
    handshakeAt: lastHandshakeAt(member, track, context.snapshot),
    isProven: isProven(member, context.snapshot.proofs),
    hasPeer: context.peers.has(member.announcement.publicKey),
    liveness: track === null ? 'unknown' : tunnelLiveness(track, now),
    hasTunnel: state?.tunnel?.up === true,
    wallSeconds,
  }
}

/** Of the peer there is now, or of any before it. */
function lastHandshakeAt(member: Member, track: TunnelTrack | null, { proofs }: Snapshot): number | null {
  const proof = isProven(member, proofs) ? proofs.get(member.announcement.node) : undefined
  return track?.handshakeAt ?? proof?.handshakeAt ?? null
}

function stateOf(about: Circumstances): PeerState {
  if (about.standing === 'left') return 'left'
  return vtepRefusal(about) === null ? about.liveness : 'down'
}

function selfReason({ self, state }: Snapshot): string | null {
  if (self?.left === true) return 'this node is leaving the mesh'
  if (state === null) return 'the kernel was not looked at yet'
  if (state.tunnel === null) return 'the tunnel is not there: see the problems in lnetctl status'
  return state.tunnel.up ? null : `${state.tunnel.interface} is down: see the problems in lnetctl status`
}

/** Nobody sends to who left. A candidate that is not announced as such came from a name that was. */
function endpointRow(
  track: TunnelTrack | null,
  { endpoints, left }: Announcement,
): Pick<PeerRow, 'endpoint' | 'endpoint_kind'> {
  const current = track?.endpoint ?? null
  if (track === null || current === null || left) return { endpoint: null, endpoint_kind: null }
  const announced = endpoints.find(({ place }) => place === (current as string))
  const named = track.candidates.includes(current)
    ? endpoints.find(({ place }) => hostAddress(place) === null)
    : undefined
  return { endpoint: current, endpoint_kind: (announced ?? named)?.kind ?? 'roamed' }
}

function segmentRow({ vni, mac, addresses }: SegmentFacts, vtep: IpAddress, context: Context): PeerSegment {
  const local = context.segments.get(vni)
  return {
    vni,
    interface: local?.interface ?? null,
    mac,
    addresses: addresses.map(({ address }) => address),
    flood: local?.flood.has(vtep) ?? false,
  }
}

/** Clocks step back now and then; an age does not. */
function wholeSeconds(seconds: number): number {
  return Math.max(0, Math.floor(seconds))
}
