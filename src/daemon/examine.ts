import type { DaemonWords } from '../control/finding.ts'
import { hostText } from '../control/ping-report.ts'
import type { PeerRow, PeersView } from '../control/protocol.ts'
import { type LoadedConfiguration, loadConfiguration, placedProblem } from '../host/config.ts'
import { readFacts } from '../host/facts.ts'
import { examinePorts } from '../host/listening.ts'
import { networkNamespace } from '../host/network-namespace.ts'
import { readMeshSecret } from '../host/secret.ts'
import { examineKernel } from '../kernel/examine.ts'
import { ping, pingInability } from '../kernel/ping.ts'
import { familyOf, type InterfaceName, type IpAddress } from '../model/address.ts'
import type { Examination, PathProof } from '../model/examination.ts'
import { type Explanation, explained } from '../model/explanation.ts'
import { noFacts } from '../model/facts.ts'
import { provenPathsAtOnceMax, provenPathsMax } from '../model/limits.ts'
import type { PingTime } from '../model/ping.ts'
import { fallbackLayout, isOf, layoutOf, layoutOfStatus, meshOf } from './layout.ts'

/**
 * Looks at this machine and at the paths to its members, and changes nothing. `daemon`: null when none answers;
 * `isForbidden`: because this user may not ask it.
 */
export async function examine(
  configPath: string,
  daemon: DaemonWords | null,
  isForbidden: boolean,
): Promise<Examination> {
  const loaded = await loadConfiguration(configPath)
  const peers = daemon?.peers ?? null
  const secret =
    loaded.ok && daemon === null ? await readMeshSecret(loaded.configuration, loaded.inlineSecret) : null
  const key = secret?.ok === true ? secret.value : null
  const configuration =
    loaded.ok && (daemon === null || isOf(loaded.configuration, daemon.status)) ? loaded.configuration : null
  const layout =
    configuration === null
      ? daemon === null
        ? fallbackLayout
        : layoutOfStatus(daemon.status)
      : layoutOf(configuration, meshOf(configuration, peers, key))
  const { tunnel, overlays, ports, ways } = layout
  const isRoot = process.geteuid?.() === 0
  const isElsewhere = daemon !== null && (await runsElsewhere(daemon.status.files?.network_namespace))
  const pathsUntried = peers === null ? null : await pingInability()
  const [kernel, paths] = await Promise.all([
    examineKernel(layout.needs, { runs: daemon !== null, isRoot }),
    provePaths(pathsUntried === null && !isElsewhere ? peers : null),
  ])
  const ours = new Set([tunnel.interface, ...overlays.map(each => each.device as InterfaceName)])
  const isUnread = isUnreadFile(loaded, daemon !== null || isForbidden)
  const secretFailure = secret?.ok === false ? [secret.failure] : []
  return {
    ...kernel,
    untried: isElsewhere ? [...kernel.untried, elsewhere] : kernel.untried,
    isElsewhere,
    isForbidden,
    file: configPath,
    configurationProblems: [
      ...(loaded.ok || isUnread ? [] : loaded.problems.map(problem => placedProblem(configPath, problem))),
      ...(isRoot ? secretFailure : []),
    ],
    unexamined: [
      ...(loaded.ok || !isUnread ? [] : unread(configPath, loaded.problems[0], isRoot)),
      ...(loaded.ok && configuration === null ? [otherConfiguration(configPath, daemon)] : []),
      ...(isRoot ? [] : secretFailure),
    ],
    ports: examinePorts(ports),
    ipv6Needed: tunnel.prefix === null || familyOf(tunnel.prefix) === 6,
    networks: ((isElsewhere ? null : readFacts({ ours })) ?? noFacts).addresses.map(
      ({ network, interface: device }) => ({
        prefix: network,
        device,
      }),
    ),
    overlays,
    paths,
    pathsUntried,
    ways,
  }
}

/** A file that nobody may read, or that is not there while lnetd runs by another one, is no wrong configuration. */
function isUnreadFile(loaded: LoadedConfiguration, runs: boolean): boolean {
  return !loaded.ok && loaded.unread !== undefined && (runs || loaded.unread === 'unreadable')
}

const elsewhere = explained('ports, firewall and paths of lnetd were not examined', {
  why: 'it runs in another network namespace than this lnetctl',
  remedy: 'nsenter --net --target PID lnetctl doctor   # PID: that of lnetd',
})

/** False where one of them cannot tell. */
async function runsElsewhere(namespace: string | undefined): Promise<boolean> {
  const own = await networkNamespace()
  return own !== undefined && namespace !== undefined && own !== namespace
}

function unread(path: string, problem: Explanation | undefined, isRoot: boolean): readonly Explanation[] {
  const why = problem?.why ?? problem?.what ?? null
  const remedy = isRoot ? 'give the file that lnetd runs with as --config' : 'run lnetctl doctor as root'
  return [explained(`${path} was not examined`, { why, remedy })]
}

function otherConfiguration(path: string, daemon: DaemonWords | null): Explanation {
  const file = daemon?.status.files?.configuration ?? null
  return explained(`${path} describes another tunnel or other segments than the running lnetd has`, {
    why: 'the running ones were examined',
    remedy:
      file === null || file === path
        ? 'systemctl restart lnetd   # where the file is meant'
        : `lnetctl doctor --config ${file}`,
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
