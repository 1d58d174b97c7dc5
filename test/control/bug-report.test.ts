import { describe, expect, it } from 'vitest'
import {
  bugReport,
  bugReportPage,
  type DaemonReplies,
  type ReportSource,
} from '../../src/control/bug-report.ts'
import { statusView } from '../../src/control/status-view.ts'
import { peersView } from '../../src/control/views.ts'
import type { HostPort } from '../../src/model/address.ts'
import type { NodeName } from '../../src/model/node.ts'
import { member, nodeId, publicKey, snapshot, track } from './snapshots.ts'

const secret = Buffer.alloc(32, 7).toString('base64')
const at = Date.parse('2026-11-23T10:58:38.123Z')
const gone = { ok: false, kind: 'unreachable', message: 'no lnetd on /run/lnetd/lnetd.sock' } as const
const silent: DaemonReplies = { version: gone, status: gone, peers: gone, plan: gone, events: gone }

function source(replies: DaemonReplies, changes: Partial<ReportSource['material']> = {}): ReportSource {
  const material = {
    node: 'gauss',
    files: [
      {
        name: 'lnetd.yaml',
        about: 'the configuration',
        text: `mesh:\n  secret: ${secret}\nbootstrap: [vps, node2]\n`,
        missing: [],
      },
      {
        name: 'wireguard.txt',
        about: 'tunnels',
        text: `peer: ${publicKey(2)}\n  endpoint: 203.0.113.2:51820\n`,
        missing: ['wg failed'],
      },
    ],
    savedEvents: '{"text":"node2 joined from 203.0.113.2"}',
    sensitive: { secrets: [secret], publicKeys: [], hosts: ['vps', 'node2'] },
    ownWords: [],
    ...changes,
  }
  return { replies, doctor: `ok  ${publicKey(2)} ${secret}\n`, material, software: '0.1.0', at }
}

function answering(): DaemonReplies {
  const endpoints = [{ place: 'home.example.org:51820' as HostPort, kind: 'configured' as const }]
  const of = { ...snapshot([member(2)], [track(2)]) }
  const status = { ...statusView(of), endpoints }
  const event = {
    number: 7,
    time: new Date(at).toISOString(),
    kind: 'up' as const,
    name: 'node2' as NodeName,
    node: nodeId(2),
  }
  return {
    version: { ok: true, view: { schema: 1, version: '0.2.0' } },
    status: { ok: true, view: status },
    peers: { ok: true, view: peersView(of) },
    plan: { ok: true, view: { schema: 1, steps: [] } },
    events: {
      ok: true,
      view: { schema: 1, events: [{ ...event, text: 'at 203.0.113.2:51820 and home.example.org' }] },
    },
  }
}

function textOf(name: string, made: ReturnType<typeof bugReport>): string {
  return made.files.find(file => file.name === name)?.text ?? ''
}

describe('bugReport', () => {
  it('holds what lnetd says and what the machine tells, without what must not be told', () => {
    const made = bugReport(source(answering()))
    const all = made.files.map(({ text }) => text).join('')
    for (const word of [secret, publicKey(2), '203.0.113.', 'example.org', 'vps'])
      expect(all).not.toContain(word)
    expect(textOf('versions.txt', made)).toMatch(/^lnetctl 0\.1\.0\nlnetd 0\.2\.0\n/)
    expect(JSON.parse(textOf('peers.json', made))).toMatchObject({
      peers: [{ name: 'node2', public_key: `${publicKey(2).slice(0, 8)}...`, state: 'up' }],
    })
    expect(JSON.parse(textOf('status.json', made))).toMatchObject({ ready: true })
    expect(textOf('lnetd.yaml', made)).toMatch(/secret: \(secret\)\nbootstrap: \[dns-name-\d, node2\]\n/)
  })

  it('calls the same by the same word everywhere', () => {
    const made = bugReport(source(answering()))
    const address = /endpoint: (public-ipv4-\d+):51820/.exec(textOf('wireguard.txt', made))?.[1]
    const name = /"(dns-name-\d+):51820"/.exec(textOf('status.json', made))?.[1]
    expect(textOf('events.jsonl', made)).toContain(`"at ${address}:51820 and ${name}"`)
    expect(JSON.parse(textOf('peers.json', made))).toMatchObject({
      peers: [{ endpoint: `${address}:51820` }],
    })
  })

  it('tells what is missing once, and takes what lnetd kept when it does not run', () => {
    const made = bugReport(source(silent))
    expect(made.name).toBe('lnet-bugreport-gauss-20261123-105838')
    expect(textOf('README.txt', made).match(/no lnetd on/g)).toHaveLength(1)
    expect(textOf('README.txt', made)).toContain('\nwg failed\n')
    expect(textOf('events.jsonl', made)).toMatch(/^\{"text":"dns-name-\d joined from public-ipv4-\d"\}\n$/)
    expect(bugReport(source(answering(), { node: 'other' })).name).toMatch(/^lnet-bugreport-node1-/)
  })
})

describe('bugReportPage', () => {
  it('tells what is in it, what is not, and asks to read it', () => {
    const made = bugReport(source(silent))
    const page = bugReportPage('report.tar.gz', 2048, made)
    expect(page).toMatch(
      /^wrote report\.tar\.gz \(2\.00 KiB\), which holds\n {2}README\.txt {5}what this is\n/,
    )
    expect(page).toContain('It lacks:\n  no lnetd on /run/lnetd/lnetd.sock\n  wg failed\n')
    expect(page).toMatch(/Read it before you send it: tar -xzOf report\.tar\.gz \| less\n$/)
  })
})
