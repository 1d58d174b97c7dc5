import {
  compareAddresses,
  compareText,
  type HostPort,
  type InterfaceName,
  type Port,
  type Prefix,
} from '../../model/address.ts'
import {
  type BridgeConfiguration,
  type Configuration,
  defaultSocket,
  defaultStateDir,
  logLevels,
  type SegmentConfiguration,
  type TunnelConfiguration,
} from '../../model/configuration.ts'
import {
  ageingSecondsDefault,
  ageingSecondsMax,
  ageingSecondsMin,
  bootstrapPlacesMax,
  endpointsPerMemberMax,
  floodFramesPerSecondDefault,
  forgetAfterSecondsDefault,
  forgetAfterSecondsMax,
  forgetAfterSecondsMin,
  heartbeatSecondsDefault,
  heartbeatSecondsMax,
  heartbeatSecondsMin,
  keepaliveSecondsDefault,
  keepaliveSecondsMax,
  overlayAddressesPerSegmentMax,
  segmentsPerMemberMax,
  staticMembersMax,
} from '../../model/limits.ts'
import type { NodeName } from '../../model/node.ts'
import type { Vni } from '../../model/segment.ts'
import type { Fields } from './fields.ts'
import { gatewayReference, readGateway, readRouteAcceptance } from './gateway.ts'
import { bootstrapPlace, hostPort, metricsPlace, pool } from './places.ts'
import {
  absolutePath,
  choice,
  duration,
  flag,
  floodLimit,
  inlineSecret,
  interfaceAddress,
  interfaceName,
  ipAddress,
  meshId,
  nodeName,
  orAuto,
  port,
  segmentMtu,
  socketPath,
  vni,
} from './readers.ts'
import { readStaticMember } from './static-members.ts'

/** The file as it was read, before one part was held against another. Segments are in the order of the file. */
export interface Draft extends Omit<Configuration, 'mesh'> {
  readonly mesh: MeshDraft
}

export interface MeshDraft {
  readonly secretFile: string | null
  readonly inlineSecret: string | null
  readonly id: Configuration['mesh']['id']
}

const gossipPortDefault = 51_821 as Port
const tunnelPortDefault = 51_820 as Port

/** The whole file with every default. */
export function readDraft(root: Fields, defaultName: NodeName): Draft {
  const name = root.read('name', nodeName) ?? defaultName
  const mesh = root.section('mesh', readMesh)
  const gossip = root.section('gossip', fields => ({
    port: fields.read('port', port) ?? gossipPortDefault,
    heartbeatSeconds:
      fields.read('heartbeat', duration(heartbeatSecondsMin, heartbeatSecondsMax)) ?? heartbeatSecondsDefault,
  }))
  return {
    name,
    mesh,
    bootstrap: root.readList('bootstrap', bootstrapPlace(gossip.port), bootstrapPlacesMax) ?? [],
    discovery: root.section('discovery', fields => ({ mdns: fields.read('mdns', flag) ?? true })),
    gossip,
    tunnel: root.section('tunnel', readTunnel),
    segments: root.sections('segments', readSegment, segmentsPerMemberMax) ?? [defaultSegment],
    staticMembers: root.sections('static_members', readStaticMember, staticMembersMax) ?? [],
    gateway: readGateway(root),
    defaultVia: root.read('default_via', gatewayReference),
    acceptRoutes: readRouteAcceptance(root),
    forgetAfterSeconds:
      root.read('forget_after', duration(forgetAfterSecondsMin, forgetAfterSecondsMax)) ??
      forgetAfterSecondsDefault,
    stateDir: root.read('state_dir', absolutePath) ?? defaultStateDir,
    socket: root.read('socket', socketPath) ?? defaultSocket,
    metrics: root.read('metrics', metricsPlace(gossip.port)) ?? null,
    names: root.read('names', flag) ?? false,
    log: root.section('log', fields => ({ level: fields.read('level', choice(...logLevels)) ?? 'info' })),
  }
}

export const defaultPrefix = '192.168.102.0/24' as Prefix

/** The segment of the hand-written recipe, so that its machines can take part. */
export const defaultSegment: SegmentConfiguration = {
  interface: 'vlnet0' as InterfaceName,
  vni: 49_371 as Vni,
  port: 4789 as Port,
  mtu: null,
  ageingSeconds: ageingSecondsDefault,
  routerAdvertisements: false,
  floodLimit: floodFramesPerSecondDefault,
  prefixes: [defaultPrefix],
  deriveIpv6: true,
  addresses: null,
  bridge: null,
}

function readMesh(fields: Fields): MeshDraft {
  return {
    secretFile: fields.read('secret_file', absolutePath),
    inlineSecret: fields.read('secret', inlineSecret),
    id: fields.read('id', meshId),
  }
}

function readTunnel(fields: Fields): TunnelConfiguration {
  const listenPort = fields.read('port', port) ?? tunnelPortDefault
  return {
    interface: fields.read('interface', interfaceName) ?? ('lnet0' as InterfaceName),
    port: listenPort,
    endpoints: distinct<HostPort>(
      fields.readList('endpoints', hostPort(listenPort), endpointsPerMemberMax) ?? [],
    ),
    prefix: fields.read('prefix', orAuto(pool)),
    address: fields.read('address', orAuto(ipAddress)),
    keepaliveSeconds: fields.read('keepalive', duration(0, keepaliveSecondsMax)) ?? keepaliveSecondsDefault,
    takeOver: fields.read('take_over', flag) ?? false,
    implementation: fields.read('implementation', orAuto(choice('kernel', 'userspace'))),
  }
}

function readSegment(fields: Fields): SegmentConfiguration {
  const limit = fields.read('flood_limit', floodLimit)
  const prefixes = fields.readList('prefixes', pool, overlayAddressesPerSegmentMax)
  const addresses = fields.readListOr('addresses', 'auto', interfaceAddress, overlayAddressesPerSegmentMax)
  return {
    interface: fields.read('interface', interfaceName) ?? defaultSegment.interface,
    vni: fields.read('vni', vni) ?? defaultSegment.vni,
    port: fields.read('port', port) ?? defaultSegment.port,
    mtu: fields.read('mtu', orAuto(segmentMtu)),
    ageingSeconds:
      fields.read('ageing', duration(ageingSecondsMin, ageingSecondsMax)) ?? ageingSecondsDefault,
    routerAdvertisements: fields.read('router_advertisements', flag) ?? false,
    floodLimit: limit === 'off' ? null : (limit ?? floodFramesPerSecondDefault),
    prefixes: (prefixes ?? defaultSegment.prefixes).toSorted(compareAddresses),
    deriveIpv6: fields.read('derive_ipv6', flag) ?? true,
    addresses: addresses?.toSorted(compareAddresses) ?? null,
    bridge: readBridge(fields),
  }
}

/** `bridge: br0`, or a map with its name. */
function readBridge(fields: Fields): BridgeConfiguration | null {
  const allowLoopRisk = fields.read('allow_loop_risk', flag) ?? false
  const { name, create } = fields.isSection('bridge')
    ? fields.section('bridge', inner => ({
        name: inner.need('name', interfaceName),
        create: inner.read('create', flag) ?? false,
      }))
    : { name: fields.read('bridge', interfaceName), create: false }
  return name === null ? null : { name, create, allowLoopRisk }
}

export function sortSegments(segments: readonly SegmentConfiguration[]): readonly SegmentConfiguration[] {
  return segments.toSorted((a, b) => compareText(a.interface, b.interface))
}

function distinct<Value>(values: readonly Value[]): readonly Value[] {
  return [...new Set(values)]
}
