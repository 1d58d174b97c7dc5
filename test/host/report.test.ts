import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { writeArchive } from '../../src/host/archive.ts'
import { reportHost } from '../../src/host/report.ts'
import { nodeNameFromHostname } from '../../src/model/node.ts'
import { testDirectory } from './directory.ts'

const keys = { secret: Buffer.alloc(32, 0xfb), identity: Buffer.alloc(32, 2), wireguard: Buffer.alloc(32, 3) }

/** A machine's files in a directory: its configuration. */
function machine(configuration: readonly string[]): string {
  const directory = testDirectory()
  const state = join(directory, 'state')
  mkdirSync(state)
  const files = {
    'mesh.secret': keys.secret,
    'state/identity.key': keys.identity,
    'state/wireguard.key': keys.wireguard,
  }
  for (const [name, bytes] of Object.entries(files))
    writeFileSync(join(directory, name), `${bytes.toString('base64')}\n`, { mode: 0o600 })
  writeFileSync(join(state, 'events.jsonl.old'), '\n{"number":1}')
  writeFileSync(join(state, 'events.jsonl'), '\n{"number":2}')
  const path = join(directory, 'lnetd.yaml')
  const text = configuration.map(line => `${line}\n`).join('')
  writeFileSync(path, text.replaceAll('HERE', directory), { mode: 0o600 })
  return path
}

const whole = [
  'name: gauss',
  'mesh: { secret_file: HERE/mesh.secret }',
  'bootstrap: [vps.example.org, 203.0.113.7, /dns4/other.example.org/tcp/51821, hilbert]',
  'tunnel: { endpoints: ["home.example.net:51820", "[2001:db8::1]:51820"] }',
  'static_members:',
  `  - { name: phone, public_key: "${Buffer.alloc(32, 5).toString('base64')}", endpoint: "phone.example.com:51820" }`,
  'state_dir: HERE/state',
]

describe('reportHost', () => {
  it('takes the configuration as it is, and what lnetd kept', async () => {
    const path = machine(whole)
    const told = await reportHost(path)
    expect(told.node).toBe('gauss')
    expect(told.files).toEqual([
      { name: 'lnetd.yaml', about: expect.any(String), text: readFileSync(path, 'utf8'), missing: [] },
    ])
    expect(told.savedEvents.split('\n').filter(line => line !== '')).toEqual(['{"number":1}', '{"number":2}'])
  })

  it('knows what must not be told', async () => {
    const { sensitive } = await reportHost(machine(whole))
    for (const bytes of Object.values(keys))
      for (const spelling of ['base64', 'base64url', 'hex'] as const)
        expect(sensitive.secrets).toContain(bytes.toString(spelling))
    expect(sensitive.publicKeys).toEqual([Buffer.alloc(32, 5).toString('base64')])
    expect([...sensitive.hosts].sort()).toEqual([
      ...['hilbert', 'home.example.net', 'other.example.org', 'phone.example.com', 'vps.example.org'],
    ])
  })

  it('knows a secret in the configuration itself', async () => {
    const inline = keys.secret.toString('base64')
    const { sensitive } = await reportHost(
      machine([`mesh: { secret: "${inline}" }`, 'state_dir: HERE/state']),
    )
    expect(sensitive.secrets).toContain(keys.secret.toString('hex'))
  })

  it('tells of a configuration that is wrong, and knows the usual secrets still', async () => {
    const { node, files, sensitive } = await reportHost(machine(['name: gauss', 'mesh: { secret: [ ]']))
    expect(node).toBe(nodeNameFromHostname(hostname()))
    expect(files[0]?.text).toMatch(/^# .*lnetd\.yaml.*\n(# .*\n)*name: gauss\n/)
    expect(sensitive.secrets).toContain(keys.secret.toString('base64'))
  })

  it('tells when there is none', async () => {
    const path = join(testDirectory(), 'lnetd.yaml')
    const { files } = await reportHost(path)
    expect(files[0]?.missing).toEqual([`there is no file ${path}`])
  })
})

describe('writeArchive', () => {
  const files = [
    { name: 'README.txt', text: 'schön\n' },
    { name: 'empty.txt', text: '' },
  ]
  const at = Date.parse('2026-11-23T10:58:38Z')

  it('writes what tar reads, for its owner alone', async () => {
    const path = join(testDirectory(), 'report.tar.gz')
    // As long as a node's name makes it at most.
    const directory = `lnet-bugreport-${'n'.repeat(63)}-20261123-105838`
    const written = await writeArchive({ path, directory, files, at })
    expect(written).toEqual({ ok: true, value: statSync(path).size })
    expect(statSync(path).mode & 0o777).toBe(0o600)
    const tar = (...words: string[]) => execFileSync('tar', [...words, '-f', path], { encoding: 'utf8' })
    expect(tar('-tz')).toBe(`${directory}/README.txt\n${directory}/empty.txt\n`)
    expect(tar('-xzO')).toBe('schön\n')
  })

  it('overwrites nothing', async () => {
    const path = join(testDirectory(), 'report.tar.gz')
    writeFileSync(path, 'mine')
    const written = await writeArchive({ path, directory: 'd', files, at })
    expect(written).toMatchObject({ ok: false, failure: { remedy: expect.stringContaining('--output') } })
    expect(readFileSync(path, 'utf8')).toBe('mine')
  })

  it('says why it cannot', async () => {
    const path = join(testDirectory(), 'nowhere/report.tar.gz')
    expect(await writeArchive({ path, directory: 'd', files, at })).toMatchObject({ ok: false })
  })
})
