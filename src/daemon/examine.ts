import { hostText } from '../control/ping-report.ts'
import type { PeerRow, PeersView } from '../control/protocol.ts'
import { loadConfiguration, placedProblem } from '../host/config.ts'
import { readFacts } from '../host/facts.ts'
import { examinePorts } from '../host/listening.ts'
import { deriveMeshKeys, readMeshSecret } from '../host/secret.ts'
import { examineKernel } from '../kernel/examine.ts'
import { ping } from '../kernel/ping.ts'
import { segmentPrefixes } from '../mesh/claims.ts'
import { familyOf, type InterfaceName, type IpAddress } from '../model/address.ts'
import type { Configuration, SegmentConfiguration } from '../model/configuration.ts'
import type { Examination, OverlayNetwork, PathProof, Ways } from '../model/examination.ts'
import { noFacts } from '../model/facts.ts'
import { provenPathsAtOnceMax, provenPathsMax } from '../model/limits.ts'
import type { PingTime } from '../model/ping.ts'

/** Looks at this machine and at the ways to its members, and changes nothing. `peers`: null when no lnetd runs. */
export async function examine(configPath: string, peers: PeersView | null): Promise<Examination> {
  const loaded = await loadConfiguration(configPath)
  const problems = loaded.ok ? [] : loaded.problems.map(problem => placedProblem(configPath, problem))
  const configuration = loaded.ok ? loaded.configuration : null
  const tunnel = configuration?.tunnel ?? fallbackTunnel
  const secret =
    loaded.ok && peers === null ? await readMeshSecret(loaded.configuration, loaded.inlineSecret) : null
  const [kernel, paths] = await Promise.all([examineKernel(tunnel), provePaths(peers)])
  const overlays =
    configuration === null ? [] : overlaysOf(configuration, peers, secret?.ok ? secret.value : null)
  const ours = new Set([tunnel.interface, ...overlays.map(each => each.device as InterfaceName)])
  return {
    ...kernel,
    file: configPath,
    configurationProblems: [...problems, ...(secret?.ok === false ? [secret.failure] : [])],
    ports: examinePorts([
      { protocol: 'udp', port: tunnel.port },
      ...(configuration === null ? [] : [{ protocol: 'tcp' as const, port: configuration.gossip.port }]),
    ]),
    ipv6Needed: tunnel.prefix === null || familyOf(tunnel.prefix) === 6,
    networks: (readFacts({ ours }) ?? noFacts).addresses.map(({ network, interface: device }) => ({
      prefix: network,
      device,
    })),
    overlays,
    paths,
    ways: waysOf(configuration, tunnel),
  }
}

/** Without a configuration there are none but the tunnel. */
function waysOf(
  configuration: Configuration | null,
  tunnel: typeof fallbackTunnel | Configuration['tunnel'],
): Ways {
  const { segments = [], gateway = null } = configuration ?? {}
  const deviceOf = ({ interface: device, bridge }: SegmentConfiguration) => bridge?.name ?? device
  const leaving = segments.filter(({ interface: device }) => gateway?.segments.includes(device) === true)
  return {
    tunnel: tunnel.interface,
    tunnelFamily: tunnel.prefix === null ? 6 : familyOf(tunnel.prefix),
    vxlanPorts: [...new Set(segments.map(({ port }) => port))],
    devices: [...new Set(segments.map(deviceOf))],
    bridges: [...new Set(segments.flatMap(({ bridge }) => bridge?.name ?? []))],
    gateway: gateway === null ? null : { interface: gateway.interface, devices: leaving.map(deviceOf) },
  }
}

/** DESIGN section 6, for a machine without a configuration. */
const fallbackTunnel = {
  interface: 'lnet0' as InterfaceName,
  port: 51_820 as Configuration['tunnel']['port'],
  implementation: null,
  prefix: null,
}

function overlaysOf(
  { segments, mesh }: Configuration,
  peers: PeersView | null,
  secret: Uint8Array | null,
): readonly OverlayNetwork[] {
  const id = peers?.mesh ?? mesh.id ?? (secret === null ? null : deriveMeshKeys(secret, null).meshId)
  return segments.flatMap(segment => {
    const prefixes = id === null ? segment.prefixes : segmentPrefixes(segment, id)
    const device = segment.bridge?.name ?? segment.interface
    return prefixes.map(prefix => ({ prefix, interface: segment.interface, device }))
  })
}

/** Of members that are up, a bounded number, some at a time. */
async function provePaths(peers: PeersView | null): Promise<readonly PathProof[]> {
  const rows = (peers?.peers ?? []).filter(({ state }) => state === 'up').slice(0, provenPathsMax)
  const own = peers?.self ?? null
  const proofs: PathProof[] = []
  for (let index = 0; index < rows.length; index += provenPathsAtOnceMax) {
    const some = rows.slice(index, index + provenPathsAtOnceMax)
    proofs.push(...(await Promise.all(some.map(row => provePath(row, own)))))
  }
  return proofs
}

/** WireGuard's own headers: 32 bytes, UDP 8, IPv4 20 or IPv6 40 (whitepaper, section 5.4.6). */
const tunnelOverheadBytes = { 4: 60, 6: 80 } as const

async function provePath(row: PeerRow, own: PeerRow | null): Promise<PathProof> {
  const bytes = Math.min(row.mtu, own?.mtu ?? row.mtu)
  const outside = row.endpoint === null ? null : hostText(row.endpoint)
  const segment = row.segments.find(each => each.interface !== null && each.addresses.length > 0)
  const overlay = segment === undefined ? null : (segment.addresses[0]?.split('/')[0] as IpAddress)
  const [tunnel, underlay, answer] = await Promise.all([
    prove(row.vtep, bytes),
    outside === null ? null : prove(outside, bytes + tunnelOverheadBytes[familyOf(outside)]),
    overlay === null ? null : timeOf(overlay),
  ])
  return { name: row.name, tunnel, underlay, overlay: answer, hasOverlay: overlay !== null }
}

async function prove(address: IpAddress, bytes: number): Promise<PathProof['tunnel']> {
  const [small, full] = await Promise.all([timeOf(address), timeOf(address, bytes)])
  return { small, full, bytes }
}

async function timeOf(address: IpAddress, packetBytes?: number): Promise<PingTime> {
  const answered = await ping(packetBytes === undefined ? { address } : { address, packetBytes })
  return answered.ok ? answered.value : null
}
