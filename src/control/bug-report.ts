import { redact } from '../mesh/redact.ts'
import { hostOf, parseIpAddress } from '../model/address.ts'
import { type ReportFile, type ReportMaterial, reportFile, type Sensitive } from '../model/report.ts'
import type { Reply } from './client.ts'
import type { EventsView } from './events-protocol.ts'
import type { PeersView, PlanView, StatusView, VersionView } from './protocol.ts'
import { byteSize, printable } from './text.ts'

/** What lnetd answered, or did not. */
export interface DaemonReplies {
  readonly version: Reply<VersionView>
  readonly status: Reply<StatusView>
  readonly peers: Reply<PeersView>
  readonly plan: Reply<PlanView>
  readonly events: Reply<EventsView>
}

export interface ReportSource {
  readonly replies: DaemonReplies
  /** What `lnetctl doctor` prints. */
  readonly doctor: string
  readonly material: ReportMaterial
  /** The version of lnetctl. */
  readonly software: string
  /** Milliseconds of Unix time. */
  readonly at: number
}

/** A report as it may be sent. */
export interface BugReport {
  /** Of the archive and of the directory in it, without an ending. */
  readonly name: string
  readonly files: readonly ReportFile[]
}

/** Everything that was found out, with a page about it, and without what it must not tell. */
export function bugReport(source: ReportSource): BugReport {
  const { replies, material, at, doctor } = source
  const node = replies.status.ok ? (replies.status.view.self?.name ?? material.node) : material.node
  const files = [
    versionsFile(source),
    ...daemonFiles(replies, material),
    reportFile({ name: 'doctor.txt', about: 'what lnetctl doctor finds', text: doctor }),
    ...material.files,
  ]
  const told = [readme(node, at, files), ...files]
  const sensitive = withDaemonWords(material.sensitive, replies)
  const texts = redact(
    told.map(({ text }) => text),
    { sensitive, ownWords: [...material.ownWords, ...told.map(({ name }) => name)] },
  )
  return {
    name: `lnet-bugreport-${node}-${timestamp(at)}`,
    files: told.map((file, index) => ({ ...file, text: texts[index] ?? '' })),
  }
}

/** What `lnetctl bugreport` prints when it is done. */
export function bugReportPage(path: string, bytes: number, { files }: BugReport): string {
  const width = Math.max(...files.map(({ name }) => name.length))
  const missing = missingOf(files)
  const lines = [
    `wrote ${path} (${byteSize(bytes)}), which holds`,
    ...files.map(({ name, about }) => `  ${name.padEnd(width)}  ${about}`),
    ...(missing.length === 0 ? [] : ['It lacks:', ...missing.map(sentence => `  ${sentence}`)]),
    ...promises,
    `Read it before you send it: tar -xzOf ${path} | less`,
  ]
  return lines.map(line => `${printable(line)}\n`).join('')
}

const promises = [
  'Secrets, private keys, preshared keys and tokens are taken out; public keys are cut short. Public addresses and DNS',
  'names are replaced, the same one by the same word. Names of nodes and devices, MAC addresses, and addresses of private',
  'networks, of the tunnel and of the segments are in it as they are.',
]

function readme(node: string, at: number, files: readonly ReportFile[]): ReportFile {
  const missing = missingOf(files)
  const lines = [
    `A bug report of the node ${node}, made by lnetctl bugreport at ${new Date(at).toISOString()}.`,
    '',
    ...promises,
    'It may still tell what you would rather keep: read it before you send it.',
    '',
    ...files.map(({ name, about }) => `${name}: ${about}`),
    '',
    ...(missing.length === 0 ? ['Nothing is missing.'] : ['What is missing:', ...missing]),
  ]
  return { name: 'README.txt', about: 'what this is', text: `${lines.join('\n')}\n`, missing: [] }
}

function missingOf(files: readonly ReportFile[]): readonly string[] {
  return [...new Set(files.flatMap(({ missing }) => missing))]
}

function versionsFile({ replies: { version }, software }: ReportSource): ReportFile {
  const lnetd = version.ok ? version.view.version : 'not known'
  const node = `node ${process.versions.node} ${process.arch}`
  const text = `lnetctl ${software}\nlnetd ${lnetd}\n${node}\n`
  return reportFile({ name: 'versions.txt', about: 'versions of lnet', text, missing: refusalOf(version) })
}

function daemonFiles(
  { status, peers, plan, events }: DaemonReplies,
  { savedEvents }: ReportMaterial,
): readonly ReportFile[] {
  const lines = events.ok ? events.view.events.map(event => JSON.stringify(event)).join('\n') : savedEvents
  return [
    viewFile('status.json', 'how this node is doing', status),
    viewFile('peers.json', 'its members', peers),
    viewFile('plan.json', 'what lnetd would change in the kernel', plan),
    reportFile(
      {
        ...{ name: 'events.jsonl', about: 'what happened', text: lines === '' ? '' : `${lines}\n` },
        missing: savedEvents === '' ? refusalOf(events) : [],
      },
      'end',
    ),
  ]
}

function viewFile(name: string, about: string, reply: Reply<object>): ReportFile {
  const text = reply.ok ? `${JSON.stringify(reply.view, null, 2)}\n` : ''
  return reportFile({ name, about, text, missing: refusalOf(reply) })
}

function refusalOf(reply: Reply<object>): readonly string[] {
  return reply.ok ? [] : [reply.message]
}

/** The names and keys of all members, which lnetd alone knows. */
function withDaemonWords(known: Sensitive, { peers, status }: DaemonReplies): Sensitive {
  const rows = peers.ok ? [...(peers.view.self === null ? [] : [peers.view.self]), ...peers.view.peers] : []
  const own = status.ok ? (status.view.tunnel?.public_key ?? null) : null
  const places = [
    ...rows.flatMap(({ endpoint }) => endpoint ?? []),
    ...(status.ok ? status.view.endpoints.map(({ place }) => place) : []),
  ]
  const hosts = places.map(hostOf).filter(host => parseIpAddress(host) === null)
  // A bootstrap place may be called like the node there, whose name is in the report anyway.
  const nodes = new Set<string>(rows.map(({ name }) => name))
  return {
    secrets: known.secrets,
    publicKeys: [...known.publicKeys, ...rows.map(row => row.public_key), ...(own === null ? [] : [own])],
    hosts: [...known.hosts, ...hosts].filter(host => !nodes.has(host)),
  }
}

/** `20261123-105838`, UTC. */
function timestamp(at: number): string {
  return new Date(at).toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-')
}
