import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join as joinPath } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadConfiguration } from '../../src/host/config.ts'
import { deriveMeshId, readSecretFile } from '../../src/host/secret.ts'
import { initialise, join, makeToken, placesOf } from '../../src/host/setup.ts'
import { decodeToken, encodeToken } from '../../src/mesh/token.ts'
import type { Prefix } from '../../src/model/address.ts'
import type { Configuration } from '../../src/model/configuration.ts'
import { sentenceOf } from '../../src/model/explanation.ts'
import type { Facts } from '../../src/model/facts.ts'
import type { Result } from '../../src/model/failure.ts'
import type { MeshId } from '../../src/model/node.ts'
import { testDirectory } from './directory.ts'

describe('init', () => {
  it('makes a configuration that is taken, and a secret for the owner alone', async () => {
    const paths = newPaths()
    const { written, next } = value(await initialise({ ...paths, name: 'gauss' }))
    expect(written).toEqual([paths.secretPath, paths.configPath])
    expect(next.join()).toContain('lnetctl token')
    expect(modeOf(paths.secretPath)).toBe(0o600)
    expect(modeOf(paths.configPath)).toBe(0o644)
    const secret = value(await readSecretFile(paths.secretPath))
    expect(await load(paths.configPath)).toMatchObject({
      name: 'gauss',
      mesh: { secret: { kind: 'file', path: paths.secretPath }, id: deriveMeshId(secret) },
    })
    expect(readFileSync(paths.configPath, 'utf8')).not.toContain(
      readFileSync(paths.secretPath, 'utf8').trim(),
    )
  })

  it('takes another network where this machine uses the default one', async () => {
    const prefixesOf = async (network: string) => {
      const paths = newPaths()
      const used = [{ network: network as Prefix, device: 'eth0' }]
      value(await initialise({ ...paths, used }))
      return (await load(paths.configPath)).segments.map(({ interface: name, prefixes }) => [
        name,
        ...prefixes,
      ])
    }
    expect(await prefixesOf('192.168.1.0/24')).toEqual([['vlnet0', '192.168.102.0/24']])
    expect(await prefixesOf('192.168.102.0/24')).toEqual([['vlnet0', '192.168.103.0/24']])
    expect(await prefixesOf('192.168.0.0/16')).toEqual([['vlnet0', '10.102.103.0/24']])
  })

  it('makes another secret each time', async () => {
    const [a, b] = [newPaths(), newPaths()]
    await initialise(a)
    await initialise(b)
    expect(readFileSync(a.secretPath, 'utf8')).not.toBe(readFileSync(b.secretPath, 'utf8'))
  })

  it.each(['configPath', 'secretPath'] as const)('never overwrites: %s', async which => {
    const paths = newPaths()
    mkdirSync(joinPath(paths.configPath, '..'))
    writeFileSync(paths[which], 'mine')
    const refused = await initialise(paths)
    expect(refused).toMatchObject({ ok: false, failure: { what: expect.stringContaining(paths[which]) } })
    expect(readFileSync(paths[which], 'utf8')).toBe('mine')
    expect(readdirSync(joinPath(paths.configPath, '..'))).toHaveLength(1)
  })

  it('replaces what is there when forced to, and keeps every one of them', async () => {
    const paths = newPaths()
    value(await initialise({ ...paths, name: 'gauss' }))
    const before = readFileSync(paths.configPath, 'utf8')
    const { backups } = value(await initialise({ ...paths, name: 'euler', force: true }))
    expect(backups).toEqual([`${paths.configPath}.backup-1`, `${paths.secretPath}.backup-1`])
    expect(readFileSync(`${paths.configPath}.backup-1`, 'utf8')).toBe(before)
    expect(modeOf(`${paths.secretPath}.backup-1`)).toBe(0o600)
    expect(await load(paths.configPath)).toMatchObject({ name: 'euler' })
    const again = value(await initialise({ ...paths, force: true }))
    expect(again.backups).toEqual([`${paths.configPath}.backup-2`, `${paths.secretPath}.backup-2`])
    expect(readFileSync(`${paths.configPath}.backup-1`, 'utf8')).toBe(before)
  })

  it('puts back what it put aside when it cannot finish', async () => {
    const paths = newPaths()
    value(await initialise(paths))
    const before = readFileSync(paths.configPath, 'utf8')
    const secretPath = joinPath(paths.configPath, 'mesh.secret')
    expect((await initialise({ ...paths, secretPath, force: true })).ok).toBe(false)
    expect(readFileSync(paths.configPath, 'utf8')).toBe(before)
    expect(readdirSync(joinPath(paths.configPath, '..')).sort()).toEqual(['lnetd.yaml', 'mesh.secret'])
  })

  it('leaves nothing behind when it cannot finish', async () => {
    const directory = testDirectory()
    writeFileSync(joinPath(directory, 'file'), '')
    const secretPath = joinPath(directory, 'etc', 'mesh.secret')
    const refused = await initialise({ configPath: joinPath(directory, 'file', 'lnetd.yaml'), secretPath })
    expect(refused.ok).toBe(false)
    expect(readdirSync(directory)).toEqual(['file'])
  })

  it('is once only, however often it is started at once', async () => {
    const paths = newPaths()
    const results = await Promise.all([initialise(paths), initialise(paths), initialise(paths)])
    expect(results.filter(({ ok }) => ok).length).toBeLessThanOrEqual(1)
    if (!results.some(({ ok }) => ok)) return
    expect(await load(paths.configPath)).toBeDefined()
    const secret = value(await readSecretFile(paths.secretPath))
    expect((await load(paths.configPath)).mesh.id).toBe(deriveMeshId(secret))
  })

  it('refuses a name that is none, with one that is', async () => {
    const refused = await initialise({ ...newPaths(), name: 'Gauß Box' })
    expect(refused).toMatchObject({
      ok: false,
      failure: { remedy: expect.stringContaining('such as gau-box') },
    })
  })

  it('puts the secret beside the configuration when not told where', async () => {
    const { configPath } = newPaths()
    const { written } = value(await initialise({ configPath }))
    expect(written[0]).toBe(joinPath(configPath, '..', 'mesh.secret'))
  })
})

describe('token and join', () => {
  it('carry a mesh to another machine', async () => {
    const [first, second] = [newPaths(), newPaths()]
    value(await initialise(first))
    const token = value(
      await makeToken({ configPath: first.configPath, bootstrap: ['vps.example.org', '[2001:db8::7]:7000'] }),
    )
    const { written, next } = value(await join({ ...second, token, name: 'euler' }))
    expect(written).toEqual([second.secretPath, second.configPath])
    expect(next.join()).toContain('lnetctl peers')
    expect(modeOf(second.secretPath)).toBe(0o600)
    const [a, b] = [await load(first.configPath), await load(second.configPath)]
    expect(b).toMatchObject({
      name: 'euler',
      mesh: { id: a.mesh.id },
      tunnel: a.tunnel,
      segments: a.segments,
    })
    expect(b.bootstrap.slice(0, 2)).toEqual([
      { kind: 'host', place: 'vps.example.org:51821' },
      { kind: 'host', place: '[2001:db8::7]:7000' },
    ])
    expect(readFileSync(second.secretPath, 'utf8')).toBe(readFileSync(first.secretPath, 'utf8'))
  })

  it('carry prefixes and segments that are not the default', async () => {
    const [first, second] = [newPaths(), newPaths()]
    value(await initialise(first))
    const more = `tunnel: { prefix: 192.168.228.0/24, address: 192.168.228.7 }
segments:
  - { interface: va, vni: 7, port: 4790, prefixes: [10.7.0.0/16, "fd00:7::/64"], bridge: br0 }
  - { interface: vb, vni: 8, prefixes: [10.8.0.0/16], addresses: [10.8.0.1/16] }
`
    writeFileSync(first.configPath, readFileSync(first.configPath, 'utf8') + more)
    value(await join({ ...second, token: value(await makeToken(first)) }))
    const [a, b] = [await load(first.configPath), await load(second.configPath)]
    expect(b.tunnel).toEqual({ ...a.tunnel, address: null })
    // What is this machine's alone stays here.
    expect(b.segments).toEqual(a.segments.map(segment => ({ ...segment, addresses: null, bridge: null })))
  })

  it('carry a tunnel without segments', async () => {
    const [first, second] = [newPaths(), newPaths()]
    value(await initialise(first))
    writeFileSync(first.configPath, `${readFileSync(first.configPath, 'utf8')}segments: []\n`)
    value(await join({ ...second, token: value(await makeToken(first)) }))
    expect((await load(second.configPath)).segments).toEqual([])
  })

  it('carry the derived id of a mesh that was given none', async () => {
    const paths = newPaths()
    mkdirSync(joinPath(paths.configPath, '..'))
    writeFileSync(paths.configPath, `mesh: { secret: ${Buffer.alloc(32).toString('base64')} }\n`)
    const token = value(decodeToken(value(await makeToken(paths))))
    expect(token.mesh).toBe(deriveMeshId(new Uint8Array(32)))
  })

  it('never overwrite', async () => {
    const [first, second] = [newPaths(), newPaths()]
    value(await initialise(first))
    const token = value(await makeToken(first))
    value(await join({ ...second, token }))
    const before = readFileSync(second.configPath, 'utf8')
    expect(await join({ ...second, token })).toMatchObject({ ok: false })
    expect(readFileSync(second.configPath, 'utf8')).toBe(before)
  })

  it('refuse a token that would make no valid configuration, and write nothing', async () => {
    const segment = { interface: 'va', vni: 7, port: 4790, prefixes: ['10.0.0.0/8'] }
    const token = encodeToken({
      mesh: 'ab'.repeat(16) as MeshId,
      secret: new Uint8Array(32),
      bootstrap: [],
      tunnelPrefix: null,
      segments: [segment, segment] as unknown as Configuration['segments'],
    })
    const paths = newPaths()
    const refused = await join({ ...paths, token: value(token) })
    expect(refused).toMatchObject({
      ok: false,
      failure: { what: expect.stringContaining('does not fit') },
    })
    expect(existsSync(joinPath(paths.configPath, '..'))).toBe(false)
  })

  it('refuse what is no token, and places that are none', async () => {
    expect(await join({ ...newPaths(), token: 'lnet1-abc' })).toMatchObject({ ok: false })
    const paths = newPaths()
    value(await initialise(paths))
    expect(await makeToken({ ...paths, bootstrap: ['no where'] })).toMatchObject({
      ok: false,
      failure: { what: expect.stringContaining('"no where"') },
    })
  })

  it('say what is wrong with the configuration they start from', async () => {
    const paths = newPaths()
    expect(await makeToken(paths)).toMatchObject({
      ok: false,
      failure: { remedy: expect.stringContaining('lnetctl init') },
    })
    mkdirSync(joinPath(paths.configPath, '..'))
    writeFileSync(paths.configPath, 'colour: red\nmesh: { secret_file: /x }\n')
    expect(await makeToken(paths)).toMatchObject({
      ok: false,
      failure: { what: expect.stringContaining(':1: colour:') },
    })
  })
})

describe('the places of a machine', () => {
  it('are those asked for, configured, public, on the LAN, and other members, each once', async () => {
    const paths = newPaths()
    value(await initialise(paths))
    const text = readFileSync(paths.configPath, 'utf8').replace(
      'bootstrap: []',
      'bootstrap: [203.0.113.9, 198.51.100.1]',
    )
    writeFileSync(
      paths.configPath,
      `${text}tunnel: { endpoints: [vps.example.org:1000, "[2001:db8::9]:1"] }\n`,
    )
    const facts = {
      addresses: [
        { address: '198.51.100.1', network: '198.51.100.0/24', interface: 'eth0' },
        { address: '2001:db8::7', network: '2001:db8::/64', interface: 'eth0' },
        { address: '10.0.0.7', network: '10.0.0.0/8', interface: 'eth1' },
      ],
      pathMtu: 1500,
    } as unknown as Facts
    const places = placesOf(await load(paths.configPath), facts, [
      { kind: 'multiaddr', multiaddr: '/dns/a.b/tcp/1' },
    ])
    expect(places.map(place => (place.kind === 'host' ? place.place : place.multiaddr))).toEqual([
      '/dns/a.b/tcp/1',
      'vps.example.org:51821',
      '[2001:db8::9]:51821',
      '198.51.100.1:51821',
      '[2001:db8::7]:51821',
      '10.0.0.7:51821',
      '203.0.113.9:51821',
    ])
  })
})

function newPaths() {
  const directory = joinPath(testDirectory(), 'etc')
  return { configPath: joinPath(directory, 'lnetd.yaml'), secretPath: joinPath(directory, 'mesh.secret') }
}

async function load(path: string): Promise<Configuration> {
  const loaded = await loadConfiguration(path)
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems))
  expect(loaded.warnings).toEqual([])
  return loaded.configuration
}

function value<Value>(result: Result<Value>): Value {
  if (!result.ok) throw new Error(sentenceOf(result.failure))
  return result.value
}

function modeOf(path: string): number {
  return statSync(path).mode & 0o777
}
