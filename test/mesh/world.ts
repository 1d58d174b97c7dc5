import type { Situation } from '../../src/mesh/decide.ts'
import { derivedAddress, segmentMac, segmentPrefix, vtepPrefix } from '../../src/mesh/derive.ts'
import type { Proofs } from '../../src/mesh/proof.ts'
import { noRecords } from '../../src/mesh/records.ts'
import { noTrials } from '../../src/mesh/trials.ts'
import {
  type Endpoint,
  type HostPort,
  type InterfaceAddress,
  type InterfaceName,
  type IpAddress,
  interfaceAddress,
  type Port,
  type Prefix,
  parseIpAddress,
} from '../../src/model/address.ts'
import type { Announcement, EndpointCandidate, EndpointKind } from '../../src/model/announcement.ts'
import { noClaims } from '../../src/model/claims.ts'
import type {
  Configuration,
  SegmentConfiguration,
  TunnelConfiguration,
} from '../../src/model/configuration.ts'
import type { Facts } from '../../src/model/facts.ts'
import type { ForeignNetwork } from '../../src/model/foreign-network.ts'
import {
  type BridgeFacts,
  emptyKernelState,
  type KernelState,
  type Observation,
  type WireguardReading,
} from '../../src/model/kernel-state.ts'
import { forgetAfterSecondsDefault } from '../../src/model/limits.ts'
import type { Member, Membership } from '../../src/model/member.ts'
import { type MeshId, type NodeId, type NodeName, parseNodeId } from '../../src/model/node.ts'
import type { Vni } from '../../src/model/segment.ts'
import {
  type KeyFingerprint,
  parseWireguardPublicKey,
  type WireguardPublicKey,
} from '../../src/model/wireguard-key.ts'

/**
 * A small world in which node `n` is called node`n`, sits at 203.0.0.0 + n on the underlay and holds only what
 * is its own. Everything a builder makes is valid; `changes` make it what a test needs.
 */

/** The moment all tests begin at: an hour on the daemon's clock, 2026-11-22 10:30 UTC on the wall. */
export const now = 3_600_000
export const wallSeconds = Date.UTC(2026, 10, 22, 10, 30) / 1000
export const mesh = '00112233445566778899aabbccddeeff' as MeshId
export const vni = 49_371 as Vni
export const overlayPrefix = '192.168.102.0/24' as Prefix

const base58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'

/** In the order of their numbers. */
export function nodeId(number: number): NodeId {
  let digits = ''
  for (let rest = number; rest > 0; rest = Math.floor(rest / 58)) digits = `${base58[rest % 58]}${digits}`
  return sure(parseNodeId(`12D3KooW${digits.padStart(44, '1')}`))
}

export function publicKey(number: number): WireguardPublicKey {
  const bytes = Buffer.alloc(32, 0)
  bytes.writeUInt32BE(number, 0)
  return sure(parseWireguardPublicKey(bytes.toString('base64')))
}

export function presharedKey(key: WireguardPublicKey): KeyFingerprint {
  return Buffer.from(key, 'base64').toString('hex').slice(0, 16) as KeyFingerprint
}

export function underlayAddress(number: number): IpAddress {
  return sure(parseIpAddress(`203.${number >> 16}.${(number >> 8) & 255}.${number & 255}`))
}

export function endpointOf(number: number): Endpoint {
  return `${underlayAddress(number)}:51820` as Endpoint
}

/** The VTEP nobody else can claim. */
export function vtepOf(number: number): IpAddress {
  return derivedAddress(nodeId(number), vtepPrefix(mesh))
}

export function candidate(place: string, kind: EndpointKind = 'public'): EndpointCandidate {
  return { place: place as HostPort, kind }
}

/** `192.168.102.n/24` for small numbers, spread over `192.168.0.0/16` for greater ones. */
export function overlayAddress(number: number): InterfaceAddress {
  return `192.168.${(102 + Math.floor(number / 256)) % 256}.${number % 256}/24` as InterfaceAddress
}

export function announcement(number: number, changes: Partial<Announcement> = {}): Announcement {
  const node = nodeId(number)
  const prefix = segmentPrefix(mesh, vni)
  const derived = interfaceAddress(derivedAddress(node, prefix), prefix)
  return {
    node,
    declaredBy: null,
    sequence: { incarnation: 1, counter: 1 },
    name: `node${number}` as NodeName,
    publicKey: publicKey(number),
    endpoints: [candidate(endpointOf(number))],
    vtep: vtepOf(number),
    vtepClaim: { since: 0, pinned: false },
    gossip: [`/ip4/${underlayAddress(number)}/tcp/51821`],
    gateway: null,
    privileged: true,
    segments: [
      {
        vni,
        mac: segmentMac(node, vni),
        addresses: [
          { address: overlayAddress(number), since: 1_700_000_000, pinned: false },
          { address: derived, since: 0, pinned: false },
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

export function member(number: number, changes: Partial<Announcement> = {}, seenSeconds = 4): Member {
  return {
    announcement: announcement(number, changes),
    envelope: new Uint8Array(),
    heardAt: now - seenSeconds * 1000,
  }
}

export function membership(...members: readonly Member[]): Membership {
  return new Map(members.map(each => [each.announcement.node, each]))
}

/** That each of them shook hands a minute ago. */
export function proofs(...members: readonly Member[]): Proofs {
  return new Map(
    members.map(({ announcement: { node, publicKey: key } }) => [
      node,
      { publicKey: key, handshakeAt: wallSeconds - 60 },
    ]),
  )
}

export function tunnelConfiguration(changes: Partial<TunnelConfiguration> = {}): TunnelConfiguration {
  return {
    interface: 'lnet0' as InterfaceName,
    port: 51_820 as Port,
    endpoints: [],
    prefix: null,
    address: null,
    keepaliveSeconds: 25,
    takeOver: false,
    implementation: null,
    ...changes,
  }
}

export function segmentConfiguration(changes: Partial<SegmentConfiguration> = {}): SegmentConfiguration {
  return {
    interface: 'vlnet0' as InterfaceName,
    vni,
    port: 4789 as Port,
    mtu: null,
    ageingSeconds: 300,
    routerAdvertisements: false,
    floodLimit: 10_000,
    prefixes: [overlayPrefix],
    deriveIpv6: true,
    addresses: null,
    bridge: null,
    ...changes,
  }
}

export function configuration(number: number, changes: Partial<Configuration> = {}): Configuration {
  return {
    name: `node${number}` as NodeName,
    mesh: { secret: { kind: 'file', path: '/etc/lnetd/mesh.secret' }, id: mesh },
    bootstrap: [],
    discovery: { mdns: false },
    gossip: { port: 51_821 as Port, heartbeatSeconds: 60 },
    tunnel: tunnelConfiguration(),
    segments: [segmentConfiguration()],
    staticMembers: [],
    gateway: null,
    defaultVia: null,
    acceptRoutes: 'none',
    forgetAfterSeconds: forgetAfterSecondsDefault,
    stateDir: '/var/lib/lnetd',
    socket: '/run/lnetd/lnetd.sock',
    metrics: null,
    names: false,
    log: { level: 'info' },
    ...changes,
  }
}

export function facts(number: number, changes: Partial<Facts> = {}): Facts {
  const address = underlayAddress(number)
  const network = `${address}/32` as Prefix
  return {
    addresses: [{ address, network, interface: 'eth0' as InterfaceName, kind: 'physical' }],
    pathMtu: 1500,
    waysOut: ['eth0'],
    ...changes,
  }
}

/** A bridge of the machine that nothing speaks against. */
export function bridgeFacts(changes: Partial<BridgeFacts> = {}): BridgeFacts {
  const name = 'br0' as InterfaceName
  return { interface: name, own: false, up: true, stp: false, physicalPorts: [], stacked: [], ...changes }
}

/** What WireGuard says of a member it hears from. */
export function reading(number: number, changes: Partial<WireguardReading> = {}): WireguardReading {
  return {
    publicKey: publicKey(number),
    endpoint: endpointOf(number),
    handshakeAt: wallSeconds - 60,
    receivedBytes: 1000,
    sentBytes: 1000,
    ...changes,
  }
}

export function observation(
  state: KernelState = emptyKernelState,
  readings: readonly WireguardReading[] = [],
  bridges: readonly BridgeFacts[] = [],
  networks: readonly ForeignNetwork[] = [],
): Observation {
  return {
    ...{ state, readings, implementation: 'kernel', foreign: [], networks, bridges, forwarding: [] },
    ...{ floods: [], limitsFloods: true, watchesLoops: true, unprivilegedPortStart: 1024 },
  }
}

/** Node `number` before an empty kernel, with these members, claims settled on the way. */
export function situation(
  number: number,
  members: readonly Member[] = [],
  changes: Partial<Situation> = {},
): Situation {
  return {
    configuration: configuration(number),
    mesh,
    node: nodeId(number),
    publicKey: publicKey(number),
    presharedKey,
    keptOut: new Set(),
    facts: facts(number),
    claims: noClaims,
    membership: membership(...members),
    tracks: new Map(),
    proofs: proofs(...(changes.membership ?? membership(...members)).values()),
    ...{ trials: noTrials, neighbours: new Set() },
    records: noRecords,
    unanswered: new Map(),
    answers: new Map(),
    observation: observation(),
    resolved: () => [],
    gossipAt: new Map(),
    mayChoose: true,
    warm: true,
    moved: false,
    inDoubt: false,
    now,
    wallSeconds,
    ...changes,
  }
}

/** For what a test knows to be there. */
export function sure<Value>(value: Value | null | undefined): Value {
  if (value === null || value === undefined) throw new Error('a test expected a value')
  return value
}
