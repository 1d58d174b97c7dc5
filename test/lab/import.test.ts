import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { createLab, eventually, type Lab } from './lab.ts'
import type { ConfigurationText, LabNode } from './node.ts'
import { membersUp, pings } from './overlay.ts'

/** Two machines: the first is imported, the second stays as it is. 10.20.0.N under 10.21.0.N. */
let lab: Lab
let node: LabNode
let other: LabNode
let keys: readonly { readonly private: string; readonly public: string }[]

beforeAll(async () => {
  lab = await createLab({ nodes: 2 })
  ;[node, other] = lab.nodes as [LabNode, LabNode]
  keys = await Promise.all(lab.nodes.map(makeKey))
  await other.namespace.must(['sh', '-c', 'umask 077; mkdir -p /run/wireguard; cat >/run/wg0.conf'], {
    input: file(2, 1, [
      'ip link add vx77 type vxlan id 77 dstport 4789 dev %i',
      'bridge fdb append 00:00:00:00:00:00 dst 10.20.0.1 dev vx77',
      'ip addr add 10.21.0.2/24 dev vx77',
      'ip link set vx77 up',
    ]),
  })
  await other.namespace.must(['wg-quick', 'up', '/run/wg0.conf'])
})
afterAll(() => lab.cleanup())
afterEach(async () => {
  if (node.pid() !== null) {
    await node.lnetctl(['down'])
    await eventually('lnetd has ended', () => node.pid() === null)
  }
  const devices = 'for device in wg0 vx77 vwg0 br0; do ip link delete $device 2>/dev/null; done'
  await node.namespace.run([
    'sh',
    '-c',
    `${devices}; nft flush ruleset; rm -rf /etc/lnetd /var/lib/lnetd /run/wg0.conf`,
  ])
})

describe('a network that runs', () => {
  it.each<[string, readonly string[], Change?]>([
    [
      'whose key a hook sets',
      [
        'wg set %i private-key /run/key',
        'ip link add v%i type vxlan id 77 dstport 4789 dev %i',
        'bridge fdb append 00:00:00:00:00:00 dst 10.20.0.2 dev v%i',
        'ip addr add 10.21.0.1/24 dev v%i',
        'ip link set v%i up',
      ],
      text => text.replace(/^PrivateKey.*\n/m, ''),
    ],
    [
      "in iproute2's other words",
      [
        'ip link add name vx77 type vxlan id 77 dev %i dstport 4789 local 10.20.0.1 nolearning',
        'bridge fdb append dev vx77 dst 10.20.0.2 00:00:00:00:00:00',
        'ip address add dev vx77 10.21.0.1/24',
        'ip link set up dev vx77',
      ],
    ],
    [
      'made by a script',
      ['sh /run/up.sh || true', 'sysctl -qw net.ipv4.conf.vx77.accept_redirects=0 || true'],
    ],
    [
      'with less MTU, and a name that cannot be announced',
      [
        'ip link add vx77 mtu 1300 type vxlan id 77 dstport 4789 dev %i',
        'bridge fdb append 00:00:00:00:00:00 dst 10.20.0.2 dev vx77 via %i',
        'ip addr add 10.21.0.1/24 dev vx77 || true',
        'ip link set vx77 up || true',
      ],
      text =>
        text.replace('ListenPort', 'MTU = 1380\nListenPort').replace('192.0.2.2:', 'my_router.example:'),
    ],
  ])('is imported as it runs: %s', async (_, hooks, change) => {
    await node.namespace.must(['sh', '-c', 'echo 192.0.2.2 my_router.example >>/etc/hosts'])
    const before = await up(hooks, change)
    const done = await imported()
    expect(done).toMatchObject({ exitCode: 0, stderr: '' })
    expect(done.stdout).not.toMatch(/not kept: (ip|bridge|wg) /)
    expect(configuration()).toMatchObject({
      tunnel: { interface: 'wg0', address: '10.20.0.1' },
      segments: [{ vni: 77, port: 4789, addresses: ['10.21.0.1/24'] }],
      static_members: [{ public_key: keys[1]?.public, vtep: '10.20.0.2', segments: [{ vni: 77 }] }],
    })
    await startImported()
    await eventually('the other is up', async () => (await membersUp(node)) === 1)
    expect(await pings(node, '10.21.0.2')).toBe(true)
    expect(await running()).toEqual(before)
  })

  it.each<[string, readonly string[]]>([
    ['by ip', ['ip link set vx77 master br0']],
    ['by brctl, made by the hooks', ['ip link set vx77 master br0; : brctl addbr br0']],
  ])('stays in its bridge: %s', async (_, into) => {
    await node.namespace.must(['ip', 'link', 'add', 'br0', 'type', 'bridge'])
    await node.namespace.must(['ip', 'link', 'set', 'br0', 'up'])
    const before = await up([
      'ip link add vx77 type vxlan id 77 dstport 4789 dev %i',
      'bridge fdb append 00:00:00:00:00:00 dst 10.20.0.2 dev vx77',
      ...into,
      'ip link set vx77 up',
      'ip addr add 10.21.0.1/24 dev br0',
    ])
    expect(await imported()).toMatchObject({ exitCode: 0, stderr: '' })
    await startImported()
    await eventually('the other is up', async () => (await membersUp(node)) === 1)
    await eventually('it answers', () => pings(node, '10.21.0.2'))
    expect(await running()).toEqual(before)
    expect(await node.namespace.must(['ip', '-brief', 'address', 'show', 'br0'])).toContain('10.21.0.1/24')
  })

  it.each<[string, readonly string[], RegExp, Change?]>([
    ['an MTU', ['ip link set vx77 mtu 1270'], /not kept: MTU 1270 of vx77: lnetd gives it 1370/],
    [
      'a flood entry',
      ['bridge fdb append 00:00:00:00:00:00 dst 10.20.0.9 dev vx77'],
      /not kept: vx77: its flood entry to 10\.20\.0\.9/,
    ],
    ['an address', ['ip address add 10.30.0.1/24 dev %i'], /not kept: Address 10\.30\.0\.1\/24/],
    [
      'a bridge that the default route leaves by',
      [
        'ip link add br0 type bridge',
        'ip link add wire type veth peer name far; ip link add link wire name plug type macvlan; ip link set plug master br0',
        'ip link set vx77 master br0; ip link set br0 up; ip route replace default dev br0',
      ],
      /not kept: vx77: its place in br0: .*default route leaves by br0/,
    ],
    [
      'a segment that is bound to nothing',
      ['ip link add vwg0 type vxlan id 78 dstport 4790 local 10.20.0.1'],
      /not kept: VXLAN vwg0: it is bound to no interface/,
    ],
  ])('is not imported where lnetd would take away %s, unless told to', async (_, hooks, why, change) => {
    await up(
      [
        'ip link add vx77 type vxlan id 77 dstport 4789 dev %i',
        'bridge fdb append 00:00:00:00:00:00 dst 10.20.0.2 dev vx77',
        'ip addr add 10.21.0.1/24 dev vx77',
        'ip link set vx77 up',
        ...hooks,
      ],
      change,
    )
    const refused = await imported()
    await node.namespace.run(['sh', '-c', 'ip route replace default via 192.0.2.254; ip link del wire'])
    expect(refused).toMatchObject({ exitCode: 1, stdout: '' })
    expect(refused.stderr).toMatch(why)
    expect((await node.namespace.run(['ls', '/etc/lnetd/lnetd.yaml'])).exitCode).not.toBe(0)
    expect((await imported(['--force'])).exitCode).toBe(0)
  })

  it('is left alone by an lnetd whose configuration would take a segment out of its bridge', async () => {
    const before = await up([
      'ip link add br0 type bridge',
      'ip link set br0 up',
      'ip link add vx77 type vxlan id 77 dstport 4789 dev %i',
      'bridge fdb append 00:00:00:00:00:00 dst 10.20.0.2 dev vx77',
      'ip link set vx77 master br0',
      'ip link set vx77 up',
    ])
    expect((await imported()).exitCode).toBe(0)
    const [segment] = configuration().segments as object[]
    node.configuration = {
      ...configuration(),
      state_dir: '/var/lib/lnetd',
      segments: [{ ...segment, bridge: undefined }],
    }
    const refused = await node.lnetd()
    expect(refused.exitCode).toBe(1)
    expect(refused.stderr).toContain('vx77 is a port of the bridge br0')
    expect(await running()).toEqual(before)
  })
})

it('a file whose interface is not up is read alone, and that is said', async () => {
  await write(['ip link add vx77 type vxlan id 77 dstport 4789 dev %i', 'ip addr add dev vx77 10.21.0.1/24'])
  const refused = await imported()
  expect(refused).toMatchObject({ exitCode: 1, stdout: '' })
  expect(refused.stderr).toContain('not kept: ip addr add dev vx77 10.21.0.1/24')
  const forced = await imported(['--force'])
  expect(forced.stdout).toContain('note: wg0 is not up: only the file was read')
})

type Change = (text: string) => string

async function makeKey({ namespace }: LabNode) {
  await namespace.must(['sh', '-c', 'umask 077; wg genkey >/run/key'])
  const secret = (await namespace.must(['cat', '/run/key'])).trim()
  return { private: secret, public: (await namespace.must(['wg', 'pubkey'], { input: secret })).trim() }
}

function file(own: number, peer: number, hooks: readonly string[]): string {
  return `[Interface]
Address = 10.20.0.${own}/24
PrivateKey = ${keys[own - 1]?.private}
ListenPort = 51820
Table = off
${hooks.map(hook => `PostUp = ${hook}`).join('\n')}

# other
[Peer]
PublicKey = ${keys[peer - 1]?.public}
AllowedIPs = 10.20.0.${peer}/32
Endpoint = 192.0.2.${peer}:51820
`
}

async function write(hooks: readonly string[], change: Change = text => text): Promise<void> {
  const script = `ip link add vx77 type vxlan id 77 dstport 4789 dev wg0
bridge fdb append 00:00:00:00:00:00 dst 10.20.0.2 dev vx77
ip addr add 10.21.0.1/24 dev vx77
ip link set vx77 up
`
  await node.namespace.must(['sh', '-c', 'mkdir -p /run/wireguard; cat >/run/up.sh'], { input: script })
  await node.namespace.must(['sh', '-c', 'umask 077; cat >/run/wg0.conf'], {
    input: change(file(1, 2, hooks)),
  })
}

/** Brings it up; answers what runs. */
async function up(hooks: readonly string[], change?: Change): Promise<string> {
  await write(hooks, change)
  await node.namespace.must(['wg-quick', 'up', '/run/wg0.conf'])
  return running()
}

/** Flood entries, MTUs, bridge and addresses. */
async function running(): Promise<string> {
  const script = `for device in wg0 vx77 vwg0; do
  ip -oneline link show $device 2>/dev/null | grep -o 'mtu [0-9]*\\|master [a-z0-9]*'
  ip -oneline -4 address show $device 2>/dev/null | grep -o 'inet [0-9./]*'
  bridge fdb show dev $device 2>/dev/null | grep -o '^00:00:00:00:00:00 dst [0-9.]*'
done; true`
  return node.namespace.must(['sh', '-c', script])
}

function imported(options: readonly string[] = []) {
  return node.lnetctl(['import', 'wg-quick', '/run/wg0.conf', '--name', 'gauss', ...options])
}

/** What the import wrote, in the node's own /etc. */
function configuration(): ConfigurationText {
  return parse(readFileSync(join('/proc', String(node.namespace.pid), 'root/etc/lnetd/lnetd.yaml'), 'utf8'))
}

async function startImported(): Promise<void> {
  node.configuration = { ...configuration(), discovery: { mdns: false } }
  node.start()
  await node.listening()
}
