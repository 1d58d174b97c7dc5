import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadConfiguration } from '../../src/host/config.ts'
import { importWgQuick } from '../../src/host/import.ts'
import { parseWgQuick } from '../../src/host/wg-quick/parse.ts'
import { readRecipe } from '../../src/host/wg-quick/recipe.ts'
import type { InterfaceName } from '../../src/model/address.ts'

const privateKey = 'WFB2Wcl3Etwl5bHuJGWLfAgJEQAdOD+28Ai4tpwaEmI='
const [gauss, hilbert] = [
  '+k1c5WupRMZhjlmgH67YGtMkVarJKYkkaBfLHtlv1HY=',
  'DnXGinNfaFywYpdanHVhn/jUwfYE2T6Oms7FJ2ebvmo=',
]
/** The article's example, with a router's masquerade. */
const article = `[Interface]
Address = 192.168.228.166/24
ListenPort = 51820
PrivateKey = ${privateKey}

Table = off
PostUp = ip link add v%i type vxlan id 49371 dstport 4789 ttl 1 dev %i
PostUp = bridge fdb append to 00:00:00:00:00:00 dst 192.168.228.128 dev v%i
PostUp = bridge fdb append to 00:00:00:00:00:00 dst 192.168.228.60 dev v%i
PostUp = ip address add 192.168.102.1/24 dev v%i
PostUp = ip address add fde9:632e:2c3f:0:62bb:bbe3:3778:37ad/64 dev v%i
PostUp = ip link set v%i up; iptables -t nat -A POSTROUTING -o eth0 -j MASQUERADE
PreDown = ip link set v%i down
PreDown = ip link delete v%i

[Peer]
# Name = gauss
PublicKey = ${gauss}
AllowedIPs = 192.168.228.128/32
PersistentKeepalive = 25
Endpoint = 203.0.113.1:51820

[Peer]
# Name = hilbert
PublicKey = ${hilbert}
AllowedIPs = 192.168.228.60/32
PersistentKeepalive = 25
Endpoint = hilbert.example.org:51820
`
const wg0 = 'wg0' as InterfaceName

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'lnet-import-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

describe("the article's file", () => {
  it('becomes a configuration that keeps keys, ports and addresses', async () => {
    const done = await imported(article)
    expect(done).toMatchObject({ ok: true, value: { lost: [] } })
    expect(done.ok && done.value.notes).toEqual([
      expect.stringContaining('ttl 64 instead of 1'),
      expect.stringContaining('masquerading stays yours'),
    ])
    const loaded = await loadConfiguration(join(directory, 'lnetd.yaml'))
    expect(loaded).toMatchObject({
      ok: true,
      configuration: {
        tunnel: {
          interface: 'wg0',
          port: 51_820,
          prefix: '192.168.228.0/24',
          address: '192.168.228.166',
          takeOver: true,
        },
        segments: [
          {
            interface: 'vwg0',
            vni: 49_371,
            port: 4789,
            addresses: ['192.168.102.1/24', 'fde9:632e:2c3f:0:62bb:bbe3:3778:37ad/64'],
          },
        ],
        staticMembers: [
          { name: 'gauss', publicKey: gauss, vtep: '192.168.228.128', endpoint: '203.0.113.1:51820' },
          { name: 'hilbert', publicKey: hilbert, vtep: '192.168.228.60', segments: [{ vni: 49_371 }] },
        ],
      },
    })
    const key = join(directory, 'state', 'wireguard.key')
    expect(readFileSync(key, 'utf8').trim()).toBe(privateKey)
    expect(statSync(key).mode & 0o777).toBe(0o600)
  })

  it('gets no IPv6 where the file has none', async () => {
    await imported(article.replace(/^PostUp = ip address add fde9.*\n/m, ''))
    expect(await loadConfiguration(join(directory, 'lnetd.yaml'))).toMatchObject({
      configuration: { segments: [{ addresses: ['192.168.102.1/24'], deriveIpv6: false }] },
    })
  })

  it('is only told of by a dry run', async () => {
    const done = await imported(article, { dryRun: true })
    expect(done).toMatchObject({ ok: true, value: { written: [], text: expect.stringContaining('vwg0') } })
    expect(done.ok && done.value.text).not.toContain(privateKey)
    expect(await loadConfiguration(join(directory, 'lnetd.yaml'))).toMatchObject({ ok: false })
  })

  it('does not replace the key of a node', async () => {
    expect(await imported(article)).toMatchObject({ ok: true })
    const other = article.replace(privateKey, '4MhoKd4tJTmzdgBvIHzaIpu85nNRaSrBzZCX0n/PWH8=')
    expect(await imported(other)).toMatchObject({
      ok: false,
      failure: { what: expect.stringContaining('holds another key') },
    })
  })
})

describe('what cannot be kept', () => {
  it.each<[string, (text: string) => string, string]>([
    ['a preshared key', text => `${text}PresharedKey = ${gauss}\n`, 'hilbert: its PresharedKey'],
    [
      'a network behind a peer',
      text => text.replace('.60/32', '.60/32, 10.0.0.0/8'),
      'hilbert: AllowedIPs 10.0.0.0/8',
    ],
    ['a peer outside', text => text.replace('192.168.228.60/32', '10.9.9.9/32'), 'it has no AllowedIPs in'],
    ['a name server', text => text.replace('Table = off', 'DNS = 1.1.1.1'), 'DNS = 1.1.1.1'],
    [
      'a script',
      text => text.replace('PostUp = ip address', 'PostUp = /usr/local/sbin/x.sh\nPostUp = ip address'),
      '/usr/local/sbin/x.sh',
    ],
    ['a second address', text => text.replace('.166/24', '.166/24, 10.8.0.1/24'), 'Address 10.8.0.1/24'],
  ])('is said: %s', async (_, change, said) => {
    const done = await imported(change(article), { dryRun: true })
    expect(done).toMatchObject({ ok: true, value: { lost: [expect.stringContaining(said)] } })
    expect(JSON.stringify(done)).not.toContain(privateKey)
  })

  it.each<[string, string, string]>([
    ['no key', article.replace(privateKey, 'x'), 'no valid PrivateKey'],
    ['no network', article.replace('.166/24', '.166/32'), 'has no Address with its network'],
    ['no file of the kind', 'hello', 'no valid PrivateKey'],
  ])('is refused: %s', async (_, text, message) => {
    expect(await imported(text)).toMatchObject({
      ok: false,
      failure: { what: expect.stringContaining(message) },
    })
  })
})

describe('a hostile file', () => {
  const word = fc.constantFrom(
    'ip',
    'link',
    'add',
    'type',
    'vxlan',
    'id',
    '1',
    'dev',
    'bridge',
    'fdb',
    'dst',
    'a',
    '',
  )
  it('never makes the readers throw', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), fc.array(fc.string()), (text, parts) => {
        parseWgQuick(text, wg0)
        parseWgQuick(`[Interface]\n${parts.join('=')}\n[Peer]\n${text}`, wg0)
        readRecipe(parts)
      }),
    )
    fc.assert(fc.property(fc.array(word), words => void readRecipe([words.join(' ')])))
  })

  it('is bounded', () => {
    const long = `[Interface]\nPrivateKey = ${privateKey}\nPostUp = ${';'.repeat(200_000)}\n`
    expect(parseWgQuick(long, wg0)).toMatchObject({
      ok: true,
      value: { unknown: ['PostUp = ...'], commands: [] },
    })
    expect(
      parseWgQuick(`[Interface]\nPrivateKey = ${privateKey}\n${'[Peer]\n'.repeat(1000)}`, wg0),
    ).toMatchObject({
      ok: false,
    })
  })

  it('makes a configuration that is checked like any other', async () => {
    const names = article.replaceAll('hilbert', 'gauss')
    expect(await imported(names, { dryRun: true })).toMatchObject({
      ok: true,
      value: { text: expect.stringContaining('gauss-2') },
    })
    const twice = article.replace('192.168.228.60/32', '192.168.228.128/32')
    expect(await imported(twice)).toMatchObject({
      ok: false,
      failure: { what: expect.stringContaining('does not fit') },
    })
  })
})

function imported(text: string, { dryRun = false } = {}) {
  const file = join(directory, 'wg0.conf')
  writeFileSync(file, text)
  return importWgQuick({
    file,
    configPath: join(directory, 'lnetd.yaml'),
    stateDir: join(directory, 'state'),
    token: null,
    dryRun,
  })
}
