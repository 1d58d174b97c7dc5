import type { ActionView, PeerRow, PlanView, StatusView } from './protocol.ts'
import { type Cell, endpointText, layOut, stateColours } from './table.ts'
import { byteSize, duration, type Paint, plural, printable } from './text.ts'
import { wrappedLines } from './wrap.ts'
import { problemText, wrapRows } from './wrapped-rows.ts'

const namedNeighboursMax = 12
const shownDialsMax = 10
const shownStrangersMax = 3

/** `lnetctl peer NAME`: everything known of one member, every key in full; wrapped at `columns`. */
export function peerPage(row: PeerRow, paint: Paint, columns: number | null = null): string {
  const handshake = row.handshake_seconds === null ? 'never' : `${duration(row.handshake_seconds)} ago`
  const lines: (readonly Cell[])[] = [
    [{ text: 'name' }, { text: row.name }],
    [{ text: 'state' }, { text: row.state, colour: stateColours[row.state] }],
    ...(row.reason === null ? [] : [[{ text: 'reason' }, { text: row.reason }]]),
    [{ text: 'gossip' }, { text: gossipText(row) }],
    [{ text: 'node' }, { text: row.node }],
    [{ text: 'public key' }, { text: row.public_key }],
    [{ text: 'vtep' }, { text: row.vtep }],
    [{ text: 'endpoint' }, { text: endpointText(row) }],
    [{ text: 'handshake' }, { text: handshake }],
    [{ text: 'transfer' }, { text: `${byteSize(row.rx_bytes)} received, ${byteSize(row.tx_bytes)} sent` }],
    [{ text: 'tunnel mtu' }, { text: String(row.mtu) }],
    ...(row.static_by === undefined ? [[{ text: 'version' }, { text: row.version }]] : []),
    ...row.segments.flatMap(segmentLines),
  ]
  return layOut(wrapRows(columns, lines), paint)
}

/** `lnetctl plan`. */
export function planPage({ steps }: PlanView): string {
  if (steps.length === 0) return 'nothing to change\n'
  return steps.map(({ sentence }) => `${printable(sentence)}\n`).join('')
}

/** What `down` and `leave` did; failures are told apart, as errors. */
export function actionPage({ action, mesh, removed }: ActionView): string {
  const what = removed.length === 0 ? 'there was no device to remove' : `removed ${removed.join(' and ')}`
  const then = 'lnetd ended; start it again to come back: systemctl start lnetd'
  const said = action === 'leave' ? `said farewell to mesh ${mesh}, ` : ''
  return printable(`${said}${what}, ${then}`).concat('\n')
}

/** `lnetctl status`: this node in one screen, what is wrong last; wrapped at `columns`. */
export function statusPage(view: StatusView, paint: Paint, columns: number | null = null): string {
  const facts = layOut(
    wrapRows(columns, [
      [{ text: 'mesh' }, { text: view.mesh }],
      ...selfLines(view),
      [{ text: 'state' }, stateCell(view)],
      [{ text: 'lnetd' }, { text: `${view.version}, running for ${duration(view.uptime_seconds)}` }],
      [{ text: 'tunnel' }, { text: tunnelText(view) }],
      ...view.segments.map(segment => [{ text: 'segment' }, { text: segmentText(segment) }]),
      [{ text: 'members' }, { text: memberText(view) }],
      [{ text: 'neighbours' }, { text: neighbourText(view) }],
    ]),
    paint,
  )
  const trouble = [
    ...view.unreachable.map(unreachableLine),
    ...moreUnreachable(view),
    ...(view.silent ?? []).map(unreachableLine),
    ...dialLines(view),
  ]
  const problems = view.problems.map(problem => problemText(problem, paint, columns))
  return (
    facts + trouble.map(line => wrappedLines(`${printable(line)}\n`, columns)).join('') + problems.join('')
  )
}

function gossipText({ gossip, seen_seconds: seen, static_by: by }: PeerRow): string {
  return by === undefined ? `${gossip}, seen ${duration(seen)} ago` : `static (by ${by})`
}

function segmentLines({
  vni,
  interface: name,
  mac,
  addresses,
  flood,
}: PeerRow['segments'][number]): Cell[][] {
  const where = name === null ? `vni ${vni}, not on this node` : `vni ${vni}, ${name} here`
  return [
    [
      { text: 'segment' },
      { text: `${where}, MAC ${mac ?? 'not known'}, ${flood ? '' : 'not '}in the flood list` },
    ],
    ...addresses.map(address => [{ text: '' }, { text: address }]),
  ]
}

function selfLines({ self, endpoints }: StatusView): Cell[][] {
  if (self === null) return []
  const announced = endpoints.map(({ place, kind }) => `${place} (${kind})`)
  return [
    [{ text: 'name' }, { text: self.name }],
    [{ text: 'node' }, { text: self.node }],
    [
      { text: 'addresses' },
      { text: self.segments.flatMap(({ addresses }) => addresses).join(' ') || 'none yet' },
    ],
    [{ text: 'vtep' }, { text: self.vtep }],
    [{ text: 'endpoints' }, { text: announced.join(' ') || 'none: others cannot reach this node first' }],
  ]
}

function stateCell({ ready, degraded, waiting }: StatusView): Cell {
  if (!ready) return { text: `not ready: waiting for ${waiting.join(' and ')}`, colour: 'yellow' }
  return degraded ? { text: 'degraded', colour: 'red' } : { text: 'ready', colour: 'green' }
}

function tunnelText({ tunnel }: StatusView): string {
  if (tunnel === null) return 'none'
  const { interface: name, up, implementation, port, mtu } = tunnel
  const how = { kernel: 'kernel WireGuard', userspace: 'wireguard-go' }
  const made = implementation === null ? 'WireGuard' : how[implementation]
  return `${name} ${up ? 'up' : 'down'}, ${made}, port ${port ?? 'not set'}, mtu ${mtu}`
}

function segmentText({
  interface: name,
  up,
  vni,
  port,
  mtu,
  bridge,
  flood,
  flood_limit: limit,
  flood_dropped: dropped,
}: StatusView['segments'][number]): string {
  const bridged = bridge === null ? '' : `, in bridge ${bridge}`
  const limited = limit === null ? '' : `, at most ${limit} frames/s`
  const lost = dropped === 0 ? '' : ` (${dropped} dropped)`
  return `${name} ${up ? 'up' : 'down'}, vni ${vni}, port ${port}, mtu ${mtu}${bridged}, floods to ${plural(flood, 'member')}${limited}${lost}`
}

function memberText({ members: { known, up, unknown, down, left, silent } }: StatusView): string {
  const counts = Object.entries({ up, unknown, down, left }).filter(
    ([state, count]) => state === 'up' || count > 0,
  )
  const heard = silent === 0 ? '' : ` (${silent} silent in gossip)`
  return known === 0
    ? 'none yet'
    : `${counts.map(([state, count]) => `${count} ${state}`).join(', ')}${heard}`
}

function neighbourText({ neighbours }: StatusView): string {
  if (neighbours.length === 0) return 'none'
  const names = neighbours.slice(0, namedNeighboursMax).map(({ name, node }) => name ?? node)
  const rest = neighbours.length - names.length
  return `${neighbours.length}: ${names.join(' ')}${rest > 0 ? ` and ${rest} more` : ''}`
}

function unreachableLine({ name, state, reason }: StatusView['unreachable'][number]): string {
  return `${name} is ${state}${reason === null ? '' : `: ${reason}`}`
}

function moreUnreachable({ members, unreachable }: StatusView): readonly string[] {
  const rest = members.down + members.unknown - unreachable.length
  return rest > 0 ? [`and ${rest} more: see lnetctl peers`] : []
}

function dialLines({ dials }: StatusView): readonly string[] {
  const known = dials.filter(dial => dial.direction === 'outbound' || dial.secret_may_differ)
  const rest = known.length - shownDialsMax
  return [
    ...known.slice(0, shownDialsMax).map(dialLine),
    ...(rest > 0 ? [`and ${rest} more do not answer gossip`] : []),
    ...strangerLines(dials.filter(dial => !known.includes(dial))),
  ]
}

function dialLine(dial: StatusView['dials'][number]): string {
  const { target, name, failures, tried_seconds: ago, error, secret_may_differ: secret } = dial
  const place = name === null ? target : `${name} (${target})`
  if (dial.direction === 'inbound')
    return `was dialled ${plural(failures, 'time')} ${target}, last ${duration(ago)} ago, in vain: a stranger, or a node with another mesh secret`
  const times = `dialled ${plural(failures, 'time')} in vain, last ${duration(ago)} ago`
  return secret
    ? `${place} is reachable, but the mesh secret may differ: compare mesh.secret_file on both (${times})`
    : `${place} does not answer gossip: ${error} (${times})`
}

/** Those that begin no handshake are no members, however often they come: one line for all. */
function strangerLines(dials: StatusView['dials']): readonly string[] {
  if (dials.length === 0) return []
  const shown = dials.slice(0, shownStrangersMax)
  const hosts = shown.map(({ target, failures }) => `${target} ${plural(failures, 'time')}`)
  const rest = dials.length - shown.length
  return [
    `was dialled by strangers, who began no handshake (${hosts.join(', ')}${rest > 0 ? `, and ${rest} more` : ''})`,
  ]
}
