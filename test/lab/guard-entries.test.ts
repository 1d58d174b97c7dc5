import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { statusView } from '../../src/control/status-view.ts'
import { peersView } from '../../src/control/views.ts'
import { wgQuickFile } from '../../src/control/wg-quick.ts'
import { keyFingerprint } from '../../src/mesh/derive.ts'
import { type Endpoint, hostPrefix, type InterfaceAddress, type IpAddress } from '../../src/model/address.ts'
import {
  emptyKernelState,
  type KernelState,
  type SegmentState,
  type TunnelState,
  type WireguardPeer,
} from '../../src/model/kernel-state.ts'
import type { WireguardPublicKey } from '../../src/model/wireguard-key.ts'
import { member, snapshot, track } from '../control/snapshots.ts'
import { desiredState, mesh, otherPublicKey, planFor, publicKey, secrets, vtepOf } from '../kernel/state.ts'
import { type Datagram, sendFrames } from './frame-sender.ts'
import { type RemoteKernel, startKernel, until } from './kernel-remote.ts'
import { connect, createNamespace, createSwitch, type Namespace } from './namespace.ts'

/**
 * Frames enter a segment by the tunnel or the bridge only: VXLAN in clear is sent to every kind of destination by a
 * stranger on the LAN, by a local user and by a container behind a masquerade. Each frame has a MAC of its own, which
 * is counted where the segment takes frames in.
 */
const strangers: readonly Case[] = [
  { name: 'unicast', family: 4, to: '10.9.0.1' },
  { name: 'fragments', family: 4, to: '10.9.0.1', bytes: 3000 },
  { name: 'directed broadcast', family: 4, to: '10.9.255.255' },
  { name: 'limited broadcast', family: 4, to: '255.255.255.255' },
  { name: 'all hosts', family: 4, to: '224.0.0.1', by: '10.9.0.66' },
  { name: 'a joined group', family: 4, to: '239.1.2.3', by: '10.9.0.66' },
  { name: 'the VTEP', family: 4, to: '10.77.0.1' },
  { name: 'the segment', family: 4, to: '192.168.0.1' },
  { name: 'unicast', family: 6, to: 'fd09::1' },
  { name: 'fragments', family: 6, to: 'fd09::1', bytes: 3000 },
  { name: 'all nodes', family: 6, to: 'ff02::1%eth0', by: '::%eth0' },
  { name: 'a joined group', family: 6, to: 'ff05::1234%eth0', by: '::%eth0' },
  { name: 'the VTEP', family: 6, to: 'fd77::1' },
  { name: 'the segment', family: 6, to: 'fde9::1' },
]
const users: readonly Case[] = [
  { name: 'loopback', family: 4, to: '127.0.0.1' },
  { name: 'loopback', family: 6, to: '::1' },
  { name: 'IPv4 loopback as IPv6', family: 6, to: '::ffff:127.0.0.1' },
  { name: 'an own address', family: 4, to: '10.9.0.1' },
  { name: 'an own address as IPv6', family: 6, to: '::ffff:10.9.0.1' },
  { name: 'an own address', family: 6, to: 'fd09::1' },
  { name: 'the own VTEP', family: 4, to: '10.77.0.1' },
  { name: 'the own VTEP', family: 6, to: 'fd77::1' },
  { name: 'the segment', family: 4, to: '192.168.0.1' },
  { name: 'the segment', family: 6, to: 'fde9::1' },
  { name: 'directed broadcast', family: 4, to: '10.9.255.255' },
  { name: 'limited broadcast', family: 4, to: '255.255.255.255' },
  { name: 'all hosts on the LAN', family: 4, to: '224.0.0.1', by: '10.9.0.1' },
  { name: 'all hosts on loopback', family: 4, to: '224.0.0.1', by: '127.0.0.1' },
  { name: 'all hosts on the tunnel', family: 4, to: '224.0.0.1', by: '10.77.0.1' },
  { name: 'all hosts on the segment', family: 4, to: '224.0.0.1', by: '192.168.0.1' },
  ...['lo', 'eth0', 'lnet0', 'vlnet0', 'br0'].map(
    (device): Case => ({
      name: `all nodes on ${device}`,
      family: 6,
      to: `ff02::1%${device}`,
      by: `::%${device}`,
    }),
  ),
]
const containers: readonly Case[] = [
  { name: 'the host', family: 4, to: '172.30.0.1' },
  { name: 'an address of the host', family: 4, to: '10.9.0.1' },
  { name: 'the VTEP', family: 4, to: '10.77.0.1' },
  { name: 'all hosts', family: 4, to: '224.0.0.1', by: '172.30.0.2' },
  { name: 'the host', family: 6, to: 'fd30::1' },
  { name: 'the VTEP', family: 6, to: 'fd77::1' },
  { name: 'all nodes', family: 6, to: 'ff02::1%eth0', by: '::%eth0' },
]

interface Case {
  readonly name: string
  readonly family: 4 | 6
  readonly to: string
  readonly by?: string
  readonly bytes?: number
}

let spaces: Namespace[]
let victim: Namespace
let evil: Namespace
let box: Namespace
/** The machine of another member, without a guard. */
let fellow: Namespace
let kernel: RemoteKernel
/** A MAC for each frame ever sent. */
let frames = 0

beforeAll(async () => {
  const hub = await createSwitch('sw', [])
  victim = await createNamespace('victim')
  evil = await createNamespace('evil')
  box = await createNamespace('box')
  fellow = await createNamespace('fellow')
  spaces = [victim, evil, box, fellow, hub]
  await connect(hub, [
    { node: victim, interface: 'eth0', addresses: ['10.9.0.1/16', 'fd09::1/64'] },
    { node: evil, interface: 'eth0', addresses: ['10.9.0.66/16', 'fd09::66/64'] },
    { node: fellow, interface: 'eth0', addresses: ['10.9.0.67/16'] },
  ])
  const own = ['172.30.0.1/24', 'fd30::1/64']
  await victim.must([
    'sh',
    '-c',
    `ip link add br0 type bridge && ip link set br0 up; ${addresses('br0', own)}`,
  ])
  const gateways = ['172.30.0.1', 'fd30::1']
  await connect(victim, [
    { node: box, interface: 'eth0', addresses: ['172.30.0.2/24', 'fd30::2/64'], gateways },
  ])
  await victim.must(['sh', '-c', openHost], { input: masquerade })
  await evil.must(['sh', '-c', routesToVictim])
  kernel = startKernel(victim)
})

afterAll(async () => {
  await kernel.end()
  for (const space of spaces) space.close()
})

describe.each([4, 6] as const)('a segment over IPv%i', family => {
  beforeAll(async () => {
    const desired = desiredState(2, family)
    const observed = await kernel.observe()
    if (!observed.ok) throw new Error(observed.failure.what)
    expect(await kernel.apply(planFor(desired, observed.value.state))).toEqual([])
  })

  it('lets nothing in but by the tunnel', async () => {
    expect(await gotIn(strangers, users, containers)).toEqual([])
  })

  it('lets nobody but its device speak VXLAN into the tunnel', async () => {
    const [member, group] = family === 4 ? ['10.77.0.2', '10.77.255.255'] : ['fd77::2', 'ff02::1%lnet0']
    const sent = numbered({ name: 'another VTEP', family, to: member, bytes: 700 })
    const everybody = { ...sent, to: group, ...(family === 4 ? {} : { by: '::%lnet0' }) }
    const seen = async (space: Namespace, chain: string) =>
      packetsIn(await space.must(['nft', 'list', 'chain', 'inet', 'leaving', chain]))
    await victim.must(['nft', '-f', '-'], { input: leaving })
    await sendFrames(victim, [sent, everybody, { ...sent, port: 4790 }], 65_534)
    await sendFrames(box, [sent, { ...sent, sourcePort: 700 }])
    expect(await seen(victim, 'theirs')).toBe(0)
    // What the device itself sends, of whatever flow, passes.
    const pings = ['192.168.0.2', '192.168.0.77', 'fde9::2', 'fde9::77'].map(to => ['ping', '-c1', '-W1', to])
    for (const ping of pings) await victim.run(ping)
    expect(await seen(victim, 'everybodys')).toBeGreaterThanOrEqual(4)
    // VXLAN of others is routed as before.
    const stranger = family === 4 ? '10.9.0.66' : 'fd09::66'
    await evil.must(['nft', '-f', '-'], { input: leaving })
    await sendFrames(box, [{ ...sent, to: stranger, port: 4789 }])
    expect(await seen(evil, 'arrived')).toBe(3)
  })

  it('holds members to the source ports that they announce, and no others', async () => {
    const other = startKernel(fellow, ['env', 'KERNEL_AGENT=other'])
    expect(await other.apply(planFor(fellowState(family)))).toEqual([])
    const sent = { name: 'a member', family, to: vtepOf(1, family) }
    const [itself, third, fourth] = [vtepOf(2, family), vtepOf(3, family), vtepOf(4, family)]
    const entered = async (exempt: readonly IpAddress[] | null) => {
      await settle(tunnelledState(family, exempt))
      return await unprivilegedFrames(fellow, sent)
    }
    expect(await entered([])).toBe(0)
    expect(await entered([third])).toBe(0)
    expect(await entered([third, fourth])).toBe(0)
    expect(await entered([itself])).toBe(3)
    expect(await entered([itself, third])).toBe(3)
    expect(await entered(null)).toBe(3)
    const present = await other.observe()
    if (present.ok) await other.apply(planFor(emptyKernelState, present.value.state))
    await other.end()
    await settle(desiredState(2, family))
  })

  it('does not cut off a device of a former version, which sends from any port', async () => {
    const desired = desiredState(2, family)
    const [segment] = desired.segments as [SegmentState]
    const { local, mac, mtu } = segment
    const checksums = family === 6 ? 'udp6zerocsumtx udp6zerocsumrx' : ''
    const make = `ip link delete vlnet0; ip link add vlnet0 address ${mac} mtu ${mtu} type vxlan id 49371 dstport 4789 \
      local ${local} ttl 64 dev lnet0 ${checksums} && ip link set vlnet0 alias lnet:${mesh}`
    await victim.must(['sh', '-c', make])
    await settle(desired)
    const observed = await look()
    expect(observed.segments[0]).toMatchObject({ privileged: false, guard: { privileged: false } })
    expect(planFor(desired, observed)).toEqual([])
    await victim.must(['ip', 'link', 'delete', 'vlnet0'])
    await settle(desired)
    expect(await look()).toEqual(desired)
  })

  it('lets nothing in with the guard of an exported wg-quick file either', async () => {
    const lines = exportedGuard(family)
    await victim.must(['sh', '-ec', `nft delete table inet lnet_vlnet0\n${lines.join('\n')}`])
    expect(await gotIn(strangers, users, containers)).toEqual([])
  })

  it('takes frames in without a guard, so that the cases above say something', async () => {
    await victim.must(['nft', 'delete', 'table', 'inet', 'lnet_vlnet0'])
    const entered = await gotIn(strangers, users, containers)
    const groups = family === 4 ? ['all hosts', 'limited broadcast'] : ['all nodes', 'a joined group']
    for (const name of ['unicast', 'fragments', 'the VTEP', ...groups])
      expect(entered).toContainEqual(expect.stringMatching(`^stranger: ${name} over IPv${family}:`))
    expect(entered).toContainEqual(expect.stringMatching(`^user: loopback over IPv${family}:`))
    expect(entered).toContainEqual(expect.stringMatching(`^container: the VTEP over IPv${family}:`))
  })
})

/** The victim, which has a tunnel to its fellow. */
function tunnelledState(family: 4 | 6, exempt: readonly IpAddress[] | null): KernelState {
  const { tunnel, segments, ...rest } = desiredState(2, family)
  const peers = [peerOf(2, otherPublicKey, '10.9.0.67:51820', family)]
  return {
    ...rest,
    tunnel: { ...(tunnel as TunnelState), peers },
    segments: segments.map(segment => ({ ...segment, guard: segment.guard && { ...segment.guard, exempt } })),
  }
}

/** A tunnel and nothing on it, so that every program there may send VXLAN. */
function fellowState(family: 4 | 6): KernelState {
  const { tunnel, routes } = desiredState(0, family)
  const own = `${vtepOf(2, family)}/${family === 4 ? 16 : 64}` as InterfaceAddress
  const peers = [peerOf(1, publicKey, '10.9.0.1:51820', family)]
  return {
    ...emptyKernelState,
    tunnel: { ...(tunnel as TunnelState), publicKey: otherPublicKey, addresses: [own], peers },
    routes: routes.filter(({ device }) => device !== 'vlnet0'),
  }
}

function peerOf(number: number, key: WireguardPublicKey, endpoint: string, family: 4 | 6): WireguardPeer {
  return {
    publicKey: key,
    presharedKey: keyFingerprint(secrets.presharedKey(key)),
    endpoint: endpoint as Endpoint,
    allowedIps: [hostPrefix(vtepOf(number, family))],
    keepaliveSeconds: 0,
  }
}

async function settle(desired: KernelState): Promise<void> {
  expect(await kernel.apply(planFor(desired, await look()))).toEqual([])
}

async function look(): Promise<KernelState> {
  const observed = await kernel.observe()
  if (!observed.ok) throw new Error(JSON.stringify(observed.failure))
  return observed.value.state
}

/** Counts VXLAN where it leaves by the tunnel for good, and where it arrives; by its length what was sent by hand. */
const leaving = `table inet leaving
delete table inet leaving
table inet leaving {
  chain everybodys {
    type filter hook postrouting priority 900
    oifname "lnet0" udp dport 4789 counter
  }
  chain theirs {
    type filter hook postrouting priority 901
    oifname "lnet0" udp dport 4789 udp length 716 counter
  }
  chain arrived {
    type filter hook input priority -400
    iifname "eth0" udp dport 4789 counter
  }
}
`

function packetsIn(rules: string): number {
  return [...rules.matchAll(/counter packets (\d+)/g)].reduce((sum, [, packets]) => sum + Number(packets), 0)
}

/** What got in of what everybody sent; three frames each, where none was lost. */
async function gotIn(
  ofStranger: readonly Case[],
  ofUser: readonly Case[],
  ofContainer: readonly Case[],
): Promise<readonly string[]> {
  const senders = [
    { sender: 'stranger', space: evil, user: 0, cases: ofStranger },
    { sender: 'user', space: victim, user: 65_534, cases: ofUser },
    { sender: 'container', space: box, user: 0, cases: ofContainer },
  ].map(({ cases, ...rest }) => ({ ...rest, cases: cases.map(numbered) }))
  const all = senders.flatMap(({ sender, cases }) => cases.map(each => ({ ...each, sender })))
  await victim.must(['nft', '-f', '-'], { input: counters(all.map(({ mac }) => mac)) })
  for (const { space, cases, user } of senders) await sendFrames(space, cases, user)
  const listed = await victim.must(['nft', 'list', 'table', 'netdev', 'entries'])
  return all.flatMap(({ sender, name, family, mac }) => {
    const packets = packetsOf(listed, mac)
    return packets === 0 ? [] : [`${sender}: ${name} over IPv${family}: ${packets} of 3`]
  })
}

/** How many of its three frames from an unprivileged port got in, when all three of those from a privileged one did. */
async function unprivilegedFrames(space: Namespace, sent: Case): Promise<number> {
  const [high, low] = [numbered(sent), { ...numbered(sent), sourcePort: 700 }]
  await victim.must(['nft', '-f', '-'], { input: counters([high.mac, low.mac]) })
  await sendFrames(space, [high, low])
  let listed = ''
  // The tunnel keeps their order.
  await until('privileged frames get in', async () => {
    listed = await victim.must(['nft', 'list', 'table', 'netdev', 'entries'])
    return packetsOf(listed, low.mac) === 3
  })
  return packetsOf(listed, high.mac)
}

function packetsOf(listed: string, mac: string): number {
  return Number(new RegExp(`${mac} counter packets (\\d+)`).exec(listed)?.[1])
}

function numbered<Sent extends Case>(sent: Sent): Sent & Datagram {
  frames += 1
  const hex = frames.toString(16).padStart(4, '0')
  return { ...sent, mac: `02:ee:00:00:${hex.slice(0, 2)}:${hex.slice(2)}` }
}

/** Before any other hook, so that what the segment's own tables drop is counted too. */
function counters(macs: readonly string[]): string {
  const rules = macs.map(mac => `    ether saddr ${mac} counter\n`).join('')
  return `table netdev entries
delete table netdev entries
table netdev entries {
  chain arrivals {
    type filter hook ingress device "vlnet0" priority -500; policy accept;
${rules}  }
}
`
}

/** The lines of the file that guard, as wg-quick runs them. */
function exportedGuard(family: 4 | 6): readonly string[] {
  const given = snapshot([member(2)], [track(2)])
  const peers = peersView(given)
  const status = statusView(given)
  const row = { ...(peers.self as NonNullable<typeof peers.self>), vtep: vtepOf(1, family) }
  const own = `${row.vtep}/${family === 4 ? 16 : 64}` as InterfaceAddress
  const tunnel = status.tunnel === null ? null : { ...status.tunnel, addresses: [own] }
  const keys = { privateKey: '', presharedKey: () => '' }
  const file = wgQuickFile({ ...peers, self: row }, { ...status, tunnel }, { row, keys })
  return [...file.matchAll(/^PostUp = (nft .*)$/gm)].map(([, line]) => String(line).replaceAll('%i', 'lnet0'))
}

function addresses(device: string, list: readonly string[]): string {
  return list
    .map(address => `ip address add ${address} dev ${device} ${address.includes(':') ? 'nodad' : ''}`)
    .join(';')
}

/** A host of containers, which has joined a group of each family. */
const openHost = `set -e
for f in all default eth0 br0; do echo 0 >/proc/sys/net/ipv4/conf/$f/rp_filter; done
echo 1 >/proc/sys/net/ipv4/ip_forward
echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
ip address add 239.1.2.3/32 dev eth0 autojoin
ip address add ff05::1234/128 dev eth0 autojoin
ip route add 255.255.255.255 dev eth0
nft -f -`

const masquerade = `table inet box {
  chain out {
    type nat hook postrouting priority srcnat
    ip saddr 172.30.0.0/24 masquerade
    ip6 saddr fd30::/64 masquerade
  }
}
`

const routesToVictim = `set -e
ip route add 255.255.255.255 dev eth0
for net in 10.77.0.0/16 192.168.0.0/16; do ip route add $net via 10.9.0.1; done
for net in fd77::/64 fde9::/64; do ip route add $net via fd09::1; done`
