import { totalBytes } from '../mesh/history.ts'
import { ignoreReasons, rejectReasons } from '../model/announcement.ts'
import { metricsMembersMax } from '../model/limits.ts'
import { problemCodes } from '../model/problem.ts'
import type { PeerRow, PeersView, StatusView } from './protocol.ts'
import type { Snapshot } from './snapshot.ts'
import { statusView } from './status-view.ts'
import { peersView } from './views.ts'

/**
 * What Prometheus reads: its text exposition format 0.0.4. No secret is in it. Labels have bounded values: of a very
 * large mesh the first members by name have lines of their own, and all are counted.
 */
export function metricsText(snapshot: Snapshot): string {
  const view = peersView(snapshot)
  return [...nodeFamilies(statusView(snapshot, view)), ...memberFamilies(view, snapshot)]
    .filter(({ samples }) => samples.length > 0)
    .map(familyText)
    .join('')
}

/** A metric with all its samples; its kind follows from its name. */
interface Family {
  readonly name: string
  readonly help: string
  readonly samples: readonly Sample[]
}

type Labels = Readonly<Record<string, string>>
type Sample = readonly [labels: Labels, value: number]

function nodeFamilies(status: StatusView): readonly Family[] {
  const { up, unknown, down, left, silent } = status.members
  const { neighbours, problems, refused, segments } = status
  return [
    family('lnet_build_info', 'The version of lnetd; always 1.', [[{ version: status.version }, 1]]),
    family('lnet_uptime_seconds', 'Since lnetd started.', [[{}, status.uptime_seconds]]),
    family('lnet_ready', '1 when the tunnel is up and the mesh was heard.', [[{}, Number(status.ready)]]),
    family('lnet_degraded', '1 when lnetctl status --check fails.', [[{}, Number(status.degraded)]]),
    family(
      'lnet_members',
      'Other members, by the state of their tunnel.',
      Object.entries({ up, unknown, down, left }).map(([state, count]) => [{ state }, count]),
    ),
    family('lnet_members_silent', 'Other members that gossip does not hear.', [[{}, silent]]),
    family(
      'lnet_neighbours',
      'Gossip connections, by the side that made them.',
      counted(
        'direction',
        ['inbound', 'outbound'],
        neighbours.map(each => each.direction),
      ),
    ),
    family(
      'lnet_problems',
      'Problems that lnetctl status explains.',
      counted(
        'code',
        problemCodes,
        problems.map(each => each.code),
      ),
    ),
    family(
      'lnet_announcements_refused_total',
      'Announcements that were not taken, by reason; known and old-sequence are normal.',
      [...rejectReasons, ...ignoreReasons].map(reason => [{ reason }, refused[reason] ?? 0]),
    ),
    family(
      'lnet_segment_flood_entries',
      'Members a broadcast frame is copied to.',
      segments.map(segment => [{ interface: segment.interface }, segment.flood]),
    ),
    family(
      'lnet_segment_flood_dropped_total',
      'Frames to everybody that flood_limit dropped.',
      segments.map(segment => [{ interface: segment.interface }, segment.flood_dropped]),
    ),
  ]
}

/** Who said farewell has no lines, and who has no tunnel no counters: they would seem to begin anew. */
function memberFamilies({ peers }: PeersView, { tracks }: Snapshot): readonly Family[] {
  const rows = peers.filter(({ state }) => state !== 'left').slice(0, metricsMembersMax)
  const tunnels = rows.flatMap(row => {
    const track = tracks.get(row.public_key)
    return track === undefined ? [] : [{ row, track }]
  })
  return [
    family(
      'lnet_member_up',
      `1 when the member answers through the tunnel; of the first ${metricsMembersMax} members by name.`,
      rows.map(row => [labelsOf(row), Number(row.state === 'up')]),
    ),
    family(
      'lnet_member_receive_bytes_total',
      'Bytes WireGuard received from the member.',
      tunnels.map(({ row, track }) => [labelsOf(row), totalBytes(track).received]),
    ),
    family(
      'lnet_member_transmit_bytes_total',
      'Bytes WireGuard sent to the member.',
      tunnels.map(({ row, track }) => [labelsOf(row), totalBytes(track).sent]),
    ),
    family(
      'lnet_member_last_handshake_timestamp_seconds',
      'When WireGuard last shook hands with the member, Unix time.',
      tunnels.flatMap(({ row, track: { handshakeAt } }) =>
        handshakeAt === null ? [] : [[labelsOf(row), handshakeAt] as const],
      ),
    ),
  ]
}

function labelsOf({ name, node }: PeerRow): Labels {
  return { member: name, node }
}

/** Each of the known values, those that do not occur as well, so that a first one is seen to rise. */
function counted(label: string, known: readonly string[], found: readonly string[]): readonly Sample[] {
  return known.map(value => [{ [label]: value }, found.filter(each => each === value).length])
}

function family(name: string, help: string, samples: readonly Sample[]): Family {
  return { name, help, samples }
}

function familyText({ name, help, samples }: Family): string {
  const kind = name.endsWith('_total') ? 'counter' : 'gauge'
  const lines = samples.map(([labels, value]) => `${name}${labelText(labels)} ${value}`)
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${kind}`, ...lines, ''].join('\n')
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

/** As the format wants it: backslash, quote and line feed. */
function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
