import type { ControlSource, Snapshot } from '../../src/control/snapshot.ts'
import { credulous } from '../../src/mesh/judgement.ts'
import { newTrack, type TunnelTrack } from '../../src/mesh/liveness.ts'
import type { Endpoint, InterfaceAddress, IpAddress, Port, Prefix } from '../../src/model/address.ts'
import type { Announcement, EndpointCandidate } from '../../src/model/announcement.ts'
import { failed, ok } from '../../src/model/failure.ts'
import type { KernelState, SegmentState, TunnelState } from '../../src/model/kernel-state.ts'
import type { Member } from '../../src/model/member.ts'
import type { MeshId, NodeId, NodeName } from '../../src/model/node.ts'
import type { Vni } from '../../src/model/segment.ts'
import type { WireguardPublicKey } from '../../src/model/wireguard-key.ts'

/** The moment every test snapshot is of: an hour after the daemon's clock began, 2026-11-22 10:30 UTC. */
export const now = 3_600_000
export const wallSeconds = Date.UTC(2026, 10, 22, 10, 30) / 1000
export const mesh = '00112233445566778899aabbccddeeff' as MeshId
const vni = 49_371 as Vni

export function nodeId(number: number): NodeId {
  return `12D3KooW${letters(number)}${'A'.repeat(42)}` as NodeId
}

export function publicKey(number: number): WireguardPublicKey {
  return `${letters(number)}${'k'.repeat(40)}A=` as WireguardPublicKey
}

export function vtepOf(number: number): IpAddress {
  return `192.168.228.${number}` as IpAddress
}

/** The announcement of node `number`: 203.0.113.number at port 51820, VTEP and overlay ending in its number. */
export function announcement(number: number, changes: Partial<Announcement> = {}): Announcement {
  return {
    node: nodeId(number),
    declaredBy: null,
    sequence: { incarnation: 1, counter: number },
    name: `node${number}` as NodeName,
    publicKey: publicKey(number),
    endpoints: [candidate(`203.0.113.${number}:51820`, 'public')],
    vtep: vtepOf(number),
    vtepClaim: { since: 1_700_000_000 + number, pinned: false },
    gossip: [],
    gateway: null,
    privileged: true,
    segments: [
      {
        vni,
        mac: `02:00:00:00:00:0${number}` as SegmentState['mac'],
        addresses: [
          { address: `192.168.102.${number}/24` as InterfaceAddress, since: 1_700_000_000, pinned: false },
          { address: `fd00::${number}/64` as InterfaceAddress, since: 0, pinned: false },
        ],
      },
    ],
    mtu: 1420,
    heartbeatSeconds: 60,
    software: '0.1.0',
    left: false,
    ...changes,
  }
}

export function candidate(place: string, kind: EndpointCandidate['kind']): EndpointCandidate {
  return { place: place as EndpointCandidate['place'], kind }
}

export function member(number: number, changes: Partial<Announcement> = {}, seenSeconds = 4): Member {
  return {
    announcement: announcement(number, changes),
    envelope: new Uint8Array(),
    heardAt: now - seenSeconds * 1000,
  }
}

/** A tunnel that was heard from 10 s ago and shook hands a minute ago. */
export function track(number: number, changes: Partial<TunnelTrack> = {}): TunnelTrack {
  return {
    ...newTrack(publicKey(number), now - 600_000),
    endpoint: `203.0.113.${number}:51820` as Endpoint,
    candidates: [`203.0.113.${number}:51820` as Endpoint],
    receivedBytes: 1000 * number,
    sentBytes: 2000 * number,
    grewAt: now - 10_000,
    handshakeAt: wallSeconds - 60,
    ...changes,
  }
}

export function kernelState(flood: readonly IpAddress[]): KernelState {
  return {
    tunnel,
    segments: [{ ...segment, flood }],
    bridges: [],
    routes: [],
    strayGuards: [],
    strayLimits: [],
    loopWatches: [],
    gateway: null,
    detours: [],
    rules: [],
  }
}

/** Node 1 as seen by itself, with these members and tunnels, all of them in the flood list. */
export function snapshot(
  members: readonly Member[] = [],
  tracks: readonly TunnelTrack[] = [],
  changes: Partial<Snapshot> = {},
): Snapshot {
  return {
    mesh,
    software: '0.1.0',
    publicKey: publicKey(1),
    unanswered: new Map(),
    absent: new Set(),
    proofs: new Map(),
    judgement: credulous,
    keys: new Map(),
    now,
    startedAt: 0,
    wallSeconds,
    self: announcement(1),
    implementation: 'kernel',
    vteps: '192.168.228.0/24' as Prefix,
    membership: new Map(members.map(each => [each.announcement.node, each])),
    tracks: new Map(tracks.map(each => [each.publicKey, each])),
    state: kernelState(members.map(each => each.announcement.vtep)),
    floods: [],
    neighbours: [],
    dials: [],
    problems: [],
    paths: new Map(),
    files: null,
    refused: new Map(),
    warm: true,
    ...changes,
  }
}

/** A daemon that answers with this snapshot and counts what it was told to do. */
export function sourceOf(given: Snapshot, changes: Partial<ControlSource> = {}): ControlSource {
  return {
    snapshot: async () => given,
    plan: async () => ok([]),
    events: async () => [],
    down: async () => [],
    leave: async () => [],
    forget: async () => failed('nobody is forgotten'),
    ...changes,
  }
}

const tunnel: TunnelState = {
  interface: 'lnet0' as TunnelState['interface'],
  up: true,
  mtu: 1420,
  ipv6: true,
  trusts: 'none',
  learned: false,
  publicKey: publicKey(1),
  listenPort: 51_820 as Port,
  addresses: ['192.168.228.1/24' as InterfaceAddress],
  peers: [],
}

const segment: SegmentState = {
  interface: 'vlnet0' as SegmentState['interface'],
  vni,
  port: 4789 as Port,
  local: vtepOf(1),
  lower: tunnel.interface,
  mac: '02:00:00:00:00:01' as SegmentState['mac'],
  up: true,
  mtu: 1370,
  ipv6: true,
  trusts: 'none',
  learned: false,
  ageingSeconds: 300,
  privileged: true,
  bridge: null,
  suppression: false,
  portMacs: [],
  addresses: ['192.168.102.1/24' as InterfaceAddress],
  flood: [],
  unicast: [],
  neighbours: [],
  guard: null,
  floodLimit: 10_000,
}

function letters(number: number): string {
  return String.fromCharCode(65 + Math.floor(number / 8), 65 + (number % 8))
}
