import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadConfiguration } from '../../src/host/config.ts'
import { importWgQuick } from '../../src/host/import.ts'
import { parseWgQuick } from '../../src/host/wg-quick/parse.ts'
import { readRecipe } from '../../src/host/wg-quick/recipe.ts'
import type {
  Endpoint,
  InterfaceAddress,
  InterfaceName,
  IpAddress,
  MacAddress,
  Port,
  Prefix,
} from '../../src/model/address.ts'
import { failed, ok } from '../../src/model/failure.ts'
import type { WireguardPeer } from '../../src/model/kernel-state.ts'
import type { RunningNetwork, RunningSegment } from '../../src/model/running-network.ts'
import type { Vni } from '../../src/model/segment.ts'
import type { KeyFingerprint, WireguardPublicKey, WireguardSecretKey } from '../../src/model/wireguard-key.ts'

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
      expect.stringContaining('wg0 is not up: only the file was read'),
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
    expect(done.ok && done.value.lost).toContainEqual(expect.stringContaining(said))
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

describe('a network that runs', () => {
  const vtep = '192.168.228.166/24' as InterfaceAddress
  const peer = (publicKey: string, address: string): WireguardPeer => ({
    publicKey: publicKey as WireguardPublicKey,
    presharedKey: null,
    endpoint: '203.0.113.7:51820' as Endpoint,
    allowedIps: [`${address}/32` as Prefix],
    keepaliveSeconds: 25,
  })
  const segment: RunningSegment = {
    interface: 'vx77' as InterfaceName,
    vni: 77 as Vni,
    port: 4789 as Port,
    mtu: 1370,
    ageingSeconds: 300,
    ttl: null,
    isBound: true,
    addresses: ['192.168.102.1/24' as InterfaceAddress],
    flood: ['192.168.228.128' as IpAddress],
    unicast: [{ mac: '02:00:5e:00:53:80' as MacAddress, vtep: '192.168.228.128' as IpAddress }],
    bridge: null,
  }
  const running: RunningNetwork = {
    publicKey: null,
    privateKey: privateKey as WireguardSecretKey,
    listenPort: 51_999 as Port,
    mtu: 1420,
    addresses: [vtep],
    peers: [peer(gauss as string, '192.168.228.128')],
    segments: [segment],
    foreign: [],
  }
  const short = `[Interface]
Address = 192.168.228.166/24
PostUp = sh /etc/wireguard/up.sh

# gauss
[Peer]
PublicKey = ${gauss}
Endpoint = my_router.example.org:51820
`

  it('counts, whatever the file says of it: key, port, peers, segments', async () => {
    const done = await imported(short, { running })
    expect(done).toMatchObject({ ok: true, value: { lost: ['sh /etc/wireguard/up.sh'] } })
    expect(done.ok && done.value.notes).toEqual([
      expect.stringContaining('gauss: its endpoint as it is now, 203.0.113.7:51820'),
    ])
    expect(await loadConfiguration(join(directory, 'lnetd.yaml'))).toMatchObject({
      ok: true,
      configuration: {
        tunnel: { port: 51_999 },
        segments: [{ interface: 'vx77', vni: 77, mtu: null, addresses: ['192.168.102.1/24'] }],
        staticMembers: [
          {
            name: 'gauss',
            endpoint: '203.0.113.7:51820',
            segments: [{ vni: 77, mac: '02:00:5e:00:53:80' }],
          },
        ],
      },
    })
    expect(readFileSync(join(directory, 'state', 'wireguard.key'), 'utf8').trim()).toBe(privateKey)
  })

  it.each<[string, Partial<RunningNetwork>, string]>([
    ['an address', { addresses: [vtep, '10.1.1.1/24' as InterfaceAddress] }, 'Address 10.1.1.1/24'],
    [
      'a flood entry',
      { segments: [{ ...segment, flood: ['192.168.228.9' as IpAddress] }] },
      'vx77: its flood entry to 192.168.228.9',
    ],
    ['a small MTU', { mtu: 1320, segments: [{ ...segment, mtu: 1270 }] }, 'MTU 1270 of vx77'],
    ['a large MTU', { segments: [{ ...segment, mtu: 1500 }] }, 'MTU 1500 of vx77'],
    [
      'a bridge that lnet cannot have',
      { segments: [{ ...segment, bridge: { name: 'ovs-system', facts: null, addresses: [] } }] },
      'vx77: it is a port of ovs-system',
    ],
    [
      'a preshared key',
      {
        peers: [{ ...peer(gauss as string, '192.168.228.128'), presharedKey: 'ab' as KeyFingerprint }],
      },
      'gauss: its PresharedKey',
    ],
    [
      'a device that is bound to nothing',
      { segments: [{ ...segment, isBound: false }] },
      'VXLAN vx77: it is bound to no interface',
    ],
    ['a device', { foreign: ['VXLAN vx.1: a name'] }, 'VXLAN vx.1'],
  ])('is not imported without --force when it would lose %s', async (_, change, said) => {
    const refused = await imported(short, { running: { ...running, ...change } })
    expect(refused.ok && refused.value.refusal?.what).toBe('nothing was written')
    expect(refused.ok && refused.value.lost).toContainEqual(expect.stringContaining(said))
    expect(existsSync(join(directory, 'lnetd.yaml'))).toBe(false)
    expect(existsSync(join(directory, 'state'))).toBe(false)
    const told = await imported(short, { running: { ...running, ...change }, dryRun: true })
    expect(told.ok && told.value.lost).toContainEqual(expect.stringContaining(said))
    expect(await imported(short, { running: { ...running, ...change }, force: true })).toMatchObject({
      ok: true,
    })
  })

  it('loses nothing by AllowedIPs in an overlay, nor by what may fail', async () => {
    const text = short.replace('PostUp = sh', 'PostUp = ip link set vx77 up || true\nPostUp = sh')
    const both = peer(gauss as string, '192.168.228.128')
    const allowedIps = [...both.allowedIps, '192.168.102.7/32' as Prefix]
    expect(await imported(text, { running: { ...running, peers: [{ ...both, allowedIps }] } })).toMatchObject(
      {
        ok: true,
        value: { refusal: null, lost: ['sh /etc/wireguard/up.sh'] },
      },
    )
    const alone = article.replace('dev %i\n', 'dev %i || true\n').replace('up; iptables', 'up || :; iptables')
    expect(await imported(alone, { dryRun: true })).toMatchObject({ ok: true, value: { lost: [] } })
  })

  it('is not that of a file with another key', async () => {
    const other = { ...running, publicKey: hilbert as WireguardPublicKey }
    expect(await imported(short, { running: other, dryRun: true })).toMatchObject({ ok: true })
    const text = short.replace('Address', `PrivateKey = ${privateKey}\nAddress`)
    expect(await imported(text, { running: other, dryRun: true })).toMatchObject({
      ok: false,
      failure: { what: 'wg0 runs with another key than that of the file' },
    })
  })

  it('need not be there, nor the tools that show it, where the file is of another machine', async () => {
    const file = join(directory, 'none0.conf')
    writeFileSync(file, article)
    const options = { file, configPath: join(directory, 'x.yaml'), stateDir: directory, token: null }
    const missing = async () => failed('ip is missing')
    expect(await importWgQuick({ ...options, dryRun: true }, missing)).toMatchObject({
      ok: true,
      value: { notes: [expect.stringContaining('none0 is not up'), expect.anything(), expect.anything()] },
    })
  })

  it('keeps a smaller MTU where lnet can', async () => {
    const less = { mtu: 1390, segments: [{ ...segment, mtu: 1300 }] }
    expect(await imported(short, { running: { ...running, ...less } })).toMatchObject({ ok: true })
    expect(await loadConfiguration(join(directory, 'lnetd.yaml'))).toMatchObject({
      configuration: { segments: [{ mtu: 1300 }], staticMembers: [{ mtu: 1390 }] },
    })
  })

  it('stays in a bridge, with the address that the hooks gave it', async () => {
    const facts = { own: false, up: true, stp: false, physicalPorts: ['eth1'], stacked: [] }
    const bridge = {
      name: 'br0',
      facts: { interface: 'br0' as InterfaceName, ...facts },
      addresses: ['192.168.102.9/24', '10.0.0.1/24'] as InterfaceAddress[],
    }
    const text = short.replace('sh /etc', 'brctl addbr br0; ip a add dev br0 192.168.102.9/24; sh /etc')
    const bridged = { ...running, segments: [{ ...segment, addresses: [], bridge }] }
    expect(await imported(text, { running: bridged })).toMatchObject({
      ok: true,
      value: {
        lost: ['sh /etc/wireguard/up.sh'],
        notes: [
          expect.stringContaining('its endpoint'),
          expect.stringContaining('allow_loop_risk'),
        ].reverse(),
      },
    })
    expect(await loadConfiguration(join(directory, 'lnetd.yaml'))).toMatchObject({
      configuration: {
        segments: [
          { addresses: ['192.168.102.9/24'], bridge: { name: 'br0', create: true, allowLoopRisk: true } },
        ],
      },
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

function imported(
  text: string,
  { dryRun = false, force = false, running = null as RunningNetwork | null } = {},
) {
  const file = join(directory, 'wg0.conf')
  writeFileSync(file, text)
  const options = {
    file,
    configPath: join(directory, 'lnetd.yaml'),
    stateDir: join(directory, 'state'),
    token: null,
    dryRun,
    force,
  }
  return importWgQuick(
    options,
    async () => ok(running),
    () => 1420,
  )
}
