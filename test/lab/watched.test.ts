import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createLab, eventually, type Lab } from './lab.ts'
import type { ConfigurationText, LabNode } from './node.ts'
import { allUp, overlayAddresses, pings } from './overlay.ts'

let lab: Lab
/** A gateway, with a bridge; and a laptop that leaves by it. */
let gateway: LabNode
let laptop: LabNode

beforeAll(async () => {
  const configure = (base: ConfigurationText, index: number) => ({
    ...base,
    ...(index === 1
      ? { gateway: { interface: 'eth0', segments: ['vlnet0'], everywhere: true } }
      : { default_via: 'auto' }),
  })
  lab = await createLab({ nodes: 2, configure })
  ;[gateway, laptop] = lab.nodes as [LabNode, LabNode]
  for (const node of lab.nodes) node.start()
  await allUp(lab.nodes)
  await eventually('the laptop leaves by the gateway', () => shows(laptop, 'ip rule', '20201'))
})
afterAll(() => lab.cleanup())

/** Two seconds are promised; a machine that others share gets more. */
const eventSeconds = 8

describe('whatever lnet keeps comes back at once', () => {
  it.each([
    ['a policy rule', () => laptop, 'ip rule del priority 20103', 'ip rule', '20103:'],
    [
      'all policy rules',
      () => laptop,
      'ip rule flush; ip rule add priority 32766 lookup main',
      'ip rule',
      '20102:',
    ],
    ['the detour', () => laptop, 'ip route flush table 20201', 'ip route show table 20201', 'vlnet0'],
    ['a route', () => laptop, 'ip route flush dev vlnet0', 'ip route', 'vlnet0 proto 201'],
    [
      'the last resort',
      () => laptop,
      'ip -6 route flush type unreachable',
      'ip -6 route show type unreachable',
      '201',
    ],
    [
      'an address',
      () => laptop,
      'ip address flush dev vlnet0 scope global',
      'ip address show vlnet0',
      '192.168.102.',
    ],
    ['a mark', () => laptop, "ip link set dev vlnet0 alias ''", 'ip link show vlnet0', 'alias lnet:'],
    ['another mark', () => laptop, 'ip link set dev lnet0 alias mine', 'ip link show lnet0', 'alias lnet:'],
    [
      'IPv6',
      () => laptop,
      'echo 1 >/proc/sys/net/ipv6/conf/vlnet0/disable_ipv6',
      'ip -6 address show vlnet0',
      'inet6 fd',
    ],
    ['a MAC', () => laptop, 'ip link set dev vlnet0 down address 02:00:00:00:00:99 up', 'true', ''],
    [
      'neighbours',
      () => laptop,
      'ip neighbour flush dev vlnet0 nud permanent',
      'ip neighbour show dev vlnet0',
      'PERMANENT',
    ],
    [
      'FDB entries',
      () => laptop,
      'bridge fdb del 00:00:00:00:00:00 dev vlnet0',
      'bridge fdb show dev vlnet0',
      '00:00:00:00:00:00',
    ],
    [
      'the forwarding of the segment',
      () => gateway,
      'echo 0 >/proc/sys/net/ipv4/conf/vlnet0/forwarding',
      'cat /proc/sys/net/ipv4/conf/vlnet0/forwarding',
      '1',
    ],
    [
      'the forwarding of the uplink',
      () => gateway,
      'echo 0 >/proc/sys/net/ipv4/conf/eth0/forwarding',
      'cat /proc/sys/net/ipv4/conf/eth0/forwarding',
      '1',
    ],
    [
      'the table of the gateway',
      () => gateway,
      'nft delete table inet lnet-gateway',
      'nft list tables',
      'lnet-gateway',
    ],
    ['the guard', () => gateway, 'nft delete table inet lnet_vlnet0', 'nft list tables', 'inet lnet_vlnet0'],
  ])('%s', async (what, node, command, look, text) => {
    await shell(node(), command)
    const began = performance.now()
    await eventually(`${what} is back`, () => shows(node(), look, text), eventSeconds)
    console.log(`${what}: ${((performance.now() - began) / 1000).toFixed(1)} s`)
  })

  it('and all is well again', async () => {
    const { ipv4, ipv6 } = await overlayAddresses(gateway)
    for (const address of [ipv4, ipv6])
      await eventually(`${address} answers`, () => pings(laptop, address), 30)
    await eventually(
      'nothing is degraded',
      async () => (await laptop.lnetctl(['status', '--check'])).exitCode === 0,
    )
  })
})

describe('others', () => {
  it('have a bridge without a MAC and names of any kind, and what is lnet’s is repaired meanwhile', async () => {
    await shell(
      laptop,
      'ip link add vmbr1 type bridge; ip link add t0 type veth peer name t1; ip link set t0 master vmbr1; ip link del t0',
    )
    expect(await shell(laptop, 'ip -br link show vmbr1')).toContain('00:00:00:00:00:00')
    await shell(laptop, 'ip link add "$(printf \'o\\001dd"\')" type bridge')
    await shell(laptop, 'bridge fdb del 00:00:00:00:00:00 dev vlnet0')
    await eventually(
      'the flood entry is back',
      () => shows(laptop, 'bridge fdb show dev vlnet0', '00:00:00:00:00:00'),
      20,
    )
    await laptop.stop()
    laptop.start()
    await allUp(lab.nodes)
    await shell(laptop, 'ip link del vmbr1')
  })

  it('flush all routes, and lnetd goes on', async () => {
    const pid = laptop.pid()
    await shell(
      laptop,
      'ip -4 route save >/tmp/routes; ip -6 route flush table main; ip -4 route flush table main',
    )
    await eventually('the routes of lnet are back', () => shows(laptop, 'ip route', 'vlnet0 proto 201'), 20)
    expect(laptop.pid()).toBe(pid)
    await shell(
      laptop,
      'ip link set eth0 down; ip link set eth0 up; ip route add default via 192.0.2.254 || true',
    )
    await allUp(lab.nodes)
    expect(laptop.pid()).toBe(pid)
  })
})

describe('a LAN with the prefix of the segment', () => {
  it('keeps its route, and the mesh goes on with what is left, until it is gone', async () => {
    const { ipv4, ipv6 } = await overlayAddresses(gateway)
    // Its IPv6 addresses went with the link: the tunnel finds another endpoint first.
    await eventually('the segment works', () => pings(laptop, ipv4), 60)
    await shell(
      laptop,
      'ip link add lan0 type veth peer name lan1; ip link set lan0 up; ip link set lan1 up; ip address add 192.168.102.200/24 dev lan0',
    )
    expect(await shell(laptop, 'ip route get 192.168.102.254')).toContain('dev lan0')
    await eventually(
      'the segment has no address in it',
      async () => !(await shell(laptop, 'ip -4 address show vlnet0')).includes('192.168.102.'),
      20,
    )
    expect(await shell(laptop, 'ip -4 route show 192.168.102.0/24')).toMatch(
      /^192\.168\.102\.0\/24 dev lan0 proto kernel [^\n]*$/,
    )
    expect(await pings(laptop, ipv6, 5)).toBe(true)
    const status = await laptop.lnetctl(['status', '--check'])
    expect(status.exitCode).toBe(4)
    expect(status.stdout).toMatch(/network 192\.168\.102\.0\/24 of vlnet0 overlaps .* on lan0/)

    await laptop.stop()
    laptop.start()
    await allUp(lab.nodes)
    expect(await shell(laptop, 'ip route get 192.168.102.254')).toContain('dev lan0')

    await shell(laptop, 'ip link set lan0 down')
    await eventually(
      'the segment has its address again',
      () => shows(laptop, 'ip -4 address show vlnet0', '192.168.102.'),
      20,
    )
    await eventually('it carries packets', () => pings(laptop, ipv4), 30)
    await shell(laptop, 'ip link set lan0 up')
    await eventually(
      'and gives it away again',
      () => shows(laptop, 'ip route get 192.168.102.254', 'dev lan0'),
      20,
    )
    await shell(laptop, 'ip link del lan0')
    await eventually('and has it back', () => pings(laptop, ipv4), 30)
  })

  it('is what it was after lnet is gone', async () => {
    await shell(laptop, 'ip link add lan0 type veth peer name lan1; ip link set lan0 up; ip link set lan1 up')
    await shell(
      laptop,
      'ip address add 192.168.102.200/24 dev lan0; ip route add 10.0.0.0/8 via 192.168.102.254',
    )
    const before = await theirs()
    await eventually(
      'it is told',
      async () => (await laptop.lnetctl(['status', '--check'])).exitCode === 4,
      20,
    )
    expect((await laptop.lnetctl(['down'])).exitCode).toBe(0)
    expect(await theirs()).toBe(before)
    expect(await shell(laptop, 'ip route show table all; ip rule')).not.toMatch(/proto 201|20201/)
  })
})

async function theirs(): Promise<string> {
  return await shell(laptop, 'ip -4 route show dev lan0; ip -4 route show dev eth0; ip -br address show lan0')
}

async function shows(node: LabNode, command: string, text: string): Promise<boolean> {
  return (await node.namespace.run(['sh', '-c', command])).stdout.includes(text)
}

async function shell(node: LabNode, command: string): Promise<string> {
  return await node.namespace.must(['sh', '-c', command])
}
