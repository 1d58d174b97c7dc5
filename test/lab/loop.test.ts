import { afterEach, describe, expect, it } from 'vitest'
import { loopProbeMilliseconds, loopQuietSecondsMin } from '../../src/model/limits.ts'
import { createLab, eventually, type Lab } from './lab.ts'
import { connect, createSwitch, type Namespace } from './namespace.ts'
import type { ConfigurationText, LabNode } from './node.ts'
import { allUp, pings } from './overlay.ts'

let lab: Lab | null = null
let lan: Namespace | null = null
afterEach(() => {
  lab?.cleanup()
  lan?.close()
  lab = null
  lan = null
})

/** Three nodes; the first two have a bridge with a socket for a cable, which the first one's is in. */
async function started(): Promise<readonly [LabNode, LabNode, LabNode]> {
  const configure = (base: ConfigurationText, index: number) => ({
    ...base,
    segments: [segment(index, 0), ...(index === 3 ? [] : [segment(index, 1)])],
  })
  lab = await createLab({ nodes: 3, configure })
  lan = await createSwitch('lan', [])
  const nodes = lab.nodes as unknown as readonly [LabNode, LabNode, LabNode]
  await connect(
    lan,
    nodes.slice(0, 2).map(node => ({ node: node.namespace, interface: 'wire', addresses: [] })),
  )
  await cable(false)
  for (const node of nodes.slice(0, 2)) await shell(node, bridgesWithSockets)
  for (const node of nodes) node.start()
  await allUp(nodes)
  for (const node of nodes.slice(0, 2)) await eventually('it is in its bridge', () => isIn(node))
  return nodes
}

describe('a cable that makes a loop of a segment', () => {
  it('is found within a second or so, told on both sides, and broken on one, until it is gone', async () => {
    const [first, second, third] = await started()
    const pair = [first, second] as const
    await eventually('the nodes reach each other', () => pings(third, '10.70.0.1'))
    await flushed(pair)
    expect(await membersOf(pair)).toEqual(pair)
    const pinging = third.namespace.run(['ping', '-n', '-q', '-i0.2', '-c40', '-W2', '10.70.0.1'])
    await cable(true)
    // What begins to go round.
    await shell(first, 'ping -n -c1 -W1 -b 10.70.0.255 || true')
    await eventually('one is out', async () => (await membersOf(pair)).length === 1, 15)
    await eventually('nothing goes round', async () => (await framesASecond()) < 200, 15)
    const [stayed] = (await membersOf(pair)) as [LabNode]
    const left = stayed === first ? second : first
    expect((await idOf(stayed)) < (await idOf(left))).toBe(true)
    const problem = await eventually('the one that left says so', async () => loopOf(left), 15)
    expect(problem).toMatchObject({ severity: 'degraded', subject: 'vlan0' })
    expect(problem.message).toContain(`plug of br0 leads to ${stayed.name} (`)
    expect(problem.message).toContain(`a loop between ${left.name} and that node`)
    const notice = await eventually('the other says it, too', async () => loopOf(stayed), 15)
    expect(notice).toMatchObject({ severity: 'notice' })
    expect(notice.message).toContain(`leads to ${left.name} (`)
    expect(Number(/(\d+) received/.exec((await pinging).stdout)?.[1])).toBeGreaterThan(30)
    expect(await pings(third, `10.70.0.${left.index}`)).toBe(true)
    await stayed.stop()
    await new Promise(resolve => setTimeout(resolve, 2 * loopQuietSecondsMin * 1000))
    expect(await isIn(left)).toBe(false)
    expect(await isIn(stayed)).toBe(true)
    await cable(false)
    await eventually('it is back in its bridge', () => isIn(left), 60)
    await eventually('and nothing is wrong', async () => (await loopOf(left)) === null && true)
    expect((await left.ask('plan')) as unknown).toMatchObject({ view: { steps: [] } })
  })

  it('leaves no table behind, and others need not wait for a node that is down', async () => {
    const [first, second] = await started()
    await cable(true)
    await eventually('one is out', async () => (await membersOf([first, second])).length === 1, 15)
    const [stayed] = (await membersOf([first, second])) as [LabNode]
    expect((await stayed.lnetctl(['down'])).exitCode).toBe(0)
    expect(await shell(stayed, 'nft list tables')).toBe('')
    const left = stayed === first ? second : first
    await eventually('the other one takes its place', () => isIn(left), 2 * loopQuietSecondsMin)
  })

  it('is not made by a segment that comes to it: the second one stays out from the beginning', async () => {
    const [first, second] = await started()
    await second.stop()
    await shell(second, 'ip link delete vlan0')
    await cable(true)
    second.start()
    const problem = await eventually('it says why', async () => loopOf(second), 30)
    expect(problem.message).toContain(`leads to ${first.name} (`)
    expect(await isIn(first)).toBe(true)
    expect(await isIn(second)).toBe(false)
    await flushed([second])
    expect(await isIn(second)).toBe(false)
    expect(await second.logs().filter(line => JSON.stringify(line).includes('put vlan0 into')).length).toBe(1)
  })
})

describe('a bridge that this machine’s default route leaves by', () => {
  it('takes in no segment, and the machine stays on the network', async () => {
    const configure = (base: ConfigurationText, index: number) => ({ ...base, segments: [segment(index, 0)] })
    lab = await createLab({ nodes: 3, configure })
    const [first, second, third] = lab.nodes as unknown as readonly [LabNode, LabNode, LabNode]
    await shell(first, `${overBridge('192.0.2.1')}`)
    await shell(second, 'ip link add br0 type bridge && ip link set br0 up')
    for (const node of [first, second, third]) node.start()
    await allUp([first, second, third])
    await eventually('the other one is in its bridge', () => isIn(second))
    expect(await isIn(first)).toBe(false)
    expect((await first.lnetctl(['status'])).stdout).toMatch(
      /vlan0 stays out of its bridge: this machine’s default route leaves by br0 \(it could be cut off/,
    )
    expect(await shell(first, 'cat /sys/class/net/br0/mtu')).toBe('1500')
    expect(await pings(third, '10.70.0.1')).toBe(true)
    await shell(first, 'ip route delete default dev br0; ip -6 route delete default dev br0 || true')
    await eventually('it goes in once it is not the way out any more', () => isIn(first))
  })
})

/** The underlay, moved onto a bridge as a hypervisor has it. */
function overBridge(address: string): string {
  return `ip address flush dev eth0 && ip -6 route flush dev eth0 && ${socket('br0', 'eth0', 'plug')} &&
    ip address add ${address}/24 dev br0 && ip route add default via 192.0.2.254 dev br0`
}

/** Each in a bridge of its own: what watches one must not disturb the other. */
function segment(index: number, number: number) {
  return {
    interface: `vlan${number}`,
    vni: 7 + number,
    prefixes: [`10.7${number}.0.0/24`],
    addresses: [`10.7${number}.0.${index}/24`],
    ...(index === 3 ? {} : { bridge: { name: `br${number}` }, allow_loop_risk: true }),
  }
}

/** A macvlan counts as a network card. */
const socket = (bridge: string, wire: string, plug: string) =>
  `ip link add ${bridge} type bridge && ip link set ${bridge} up &&
  ip link add link ${wire} name ${plug} type macvlan mode passthru && ip link set ${plug} master ${bridge} up`

const bridgesWithSockets = `${socket('br0', 'wire', 'plug')} &&
  ip link add loose type veth peer name end && ip link set loose up && ip link set end up && ${socket('br1', 'loose', 'plug1')}`

async function cable(plugged: boolean): Promise<void> {
  await lan?.must(['ip', 'link', 'set', 'p2', plugged ? 'up' : 'down'])
}

/** Somebody takes all tables away, as a firewall's restart does: probes then pass by the segment, and are no loop. */
async function flushed(nodes: readonly LabNode[]): Promise<void> {
  for (const node of nodes) await shell(node, 'nft flush ruleset')
  for (const node of nodes)
    await eventually('the watch is back', async () =>
      (await shell(node, 'nft list tables bridge')).includes('bridge lnet_vlan0'),
    )
  await new Promise(resolve => setTimeout(resolve, 3 * loopProbeMilliseconds))
}

async function framesASecond(): Promise<number> {
  const count = async () =>
    Number((await (lan as Namespace).must(['cat', '/sys/class/net/p1/statistics/rx_packets'])).trim())
  const before = await count()
  await new Promise(resolve => setTimeout(resolve, 1000))
  return (await count()) - before
}

async function membersOf(nodes: readonly LabNode[]): Promise<readonly LabNode[]> {
  const found = await Promise.all(nodes.map(async node => ((await isIn(node)) ? [node] : [])))
  return found.flat()
}

async function isIn(node: LabNode): Promise<boolean> {
  return (await node.namespace.run(['ip', '-o', 'link', 'show', 'vlan0'])).stdout.includes('master br0')
}

async function loopOf(node: LabNode) {
  const reply = await node.ask('status')
  return reply.ok ? (reply.view.problems.find(({ code }) => code === 'bridge-loop') ?? null) : null
}

async function idOf(node: LabNode): Promise<string> {
  const reply = await node.ask('peers')
  if (!reply.ok || reply.view.self === null) throw new Error('it does not say who it is')
  return reply.view.self.node
}

function shell(node: LabNode, script: string): Promise<string> {
  return node.namespace.must(['sh', '-c', script])
}
