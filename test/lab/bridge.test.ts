import { afterEach, describe, expect, it } from 'vitest'
import { createLab, eventually, type Lab } from './lab.ts'
import type { ConfigurationText, LabNode } from './node.ts'
import { allUp, pings } from './overlay.ts'

let lab: Lab | null = null
afterEach(() => {
  lab?.cleanup()
  lab = null
})

/** Three nodes; the first two have a bridge with a machine behind it: the first one's own, the second's made by lnet. */
async function started(): Promise<readonly [LabNode, LabNode, LabNode]> {
  const bridges = ['br0', { name: 'br0', create: true }, undefined]
  const configure = (base: ConfigurationText, index: number) => ({
    ...base,
    segments: [
      {
        interface: 'vlan0',
        vni: 7,
        prefixes: ['10.70.0.0/24'],
        addresses: [`10.70.0.${index}/24`],
        bridge: bridges[index - 1],
      },
    ],
  })
  lab = await createLab({ nodes: 3, configure })
  const nodes = lab.nodes as unknown as readonly [LabNode, LabNode, LabNode]
  await shell(nodes[0], 'ip link add br0 type bridge && ip link set br0 up')
  for (const node of nodes) node.start()
  await allUp(nodes)
  await eventually('lnet made the bridge', () => hasPort(nodes[1], 'vlan0'))
  for (const node of nodes.slice(0, 2)) await shell(node, machineBehind(`10.70.0.10${node.index}`))
  return nodes
}

describe('a segment in a bridge', () => {
  it('joins the machines behind it with those behind other nodes', async () => {
    const [first, second, third] = await started()
    await eventually('the nodes reach each other', () => pings(third, '10.70.0.1'))
    await eventually('machine to machine', () => machinePings(first, '10.70.0.102'))
    // Frames to all follow a tunnel's first handshake a moment later.
    await eventually('machine to node', () => machinePings(second, '10.70.0.3'))
    expect(await pings(third, '10.70.0.101')).toBe(true)
    expect(await pings(second, '10.70.0.101')).toBe(true)
    expect(await shell(first, 'ip -brief address show vlan0')).not.toContain('10.70.0.1')
    expect(await shell(first, 'ip -brief address show br0')).toContain('10.70.0.1/24')
  })

  it('answers for members itself, and floods the questions for those it does not know', async () => {
    const [first] = await started()
    await eventually('the node is reached', () => machinePings(first, '10.70.0.3'))
    await eventually('nothing is left to do', async () => {
      const plan = await first.ask('plan')
      return plan.ok && plan.view.steps.length === 0
    })
    await shell(first, countFloods)
    await shell(
      first,
      inMachine('ip neighbour flush all; ping -n -c1 -W2 10.70.0.3; ping -n -c1 -W2 10.70.0.2'),
    )
    expect(await floods(first)).toBe(0)
    await shell(first, inMachine('ping -n -c1 -W1 10.70.0.77 || true'))
    expect(await floods(first)).toBeGreaterThan(0)
  })

  it('puts back what is taken away, and leaves nothing of its own on a bridge that is not', async () => {
    const [first, second] = await started()
    await shell(first, 'ip address add 10.99.0.1/24 dev br0 && ip address delete 10.70.0.1/24 dev br0')
    await eventually('the address is back', async () =>
      (await addresses(first, 'br0')).includes('10.70.0.1/24'),
    )
    expect((await first.lnetctl(['down'])).exitCode).toBe(0)
    const left = await addresses(first, 'br0')
    expect(left).toContain('10.99.0.1/24')
    expect(left).not.toContain('10.70.0.1')
    expect(await shell(first, 'ip neighbour show nud permanent dev br0')).not.toContain('10.70.')
    expect((await second.lnetctl(['down'])).exitCode).toBe(0)
    expect(await shell(second, 'ip -brief link')).not.toContain('br0')
  })

  it('stays out of a bridge where a cable could make a loop, and says so', async () => {
    const [first, second, third] = await started()
    await shell(
      first,
      'ip link add wire type veth peer name far && ip link add link wire name plug type macvlan && ip link set plug master br0',
    )
    await eventually('it is out', async () => !(await hasPort(first, 'vlan0')), 30)
    await eventually('and still reached', () => pings(third, '10.70.0.1'))
    expect((await first.lnetctl(['status'])).stdout).toMatch(/br0 has the physical port plug and no STP/)
    expect(await pings(second, '10.70.0.1')).toBe(true)
    await shell(first, 'ip link set br0 type bridge stp_state 1 forward_delay 200')
    await eventually('it is in again', () => hasPort(first, 'vlan0'), 30)
  })
})

const countFloods = `nft -f - <<'END'
table netdev seen {
  chain out {
    type filter hook egress device "vlan0" priority 0;
    ether daddr & 01:00:00:00:00:00 == 01:00:00:00:00:00 ether type arp counter
  }
}
END`

async function floods(node: LabNode): Promise<number> {
  return Number(/packets (\d+)/.exec(await shell(node, 'nft list table netdev seen'))?.[1])
}

/** A namespace on the bridge, as a virtual machine would be. */
function machineBehind(address: string): string {
  return `ip netns add machine && ip link add tap0 type veth peer name eth0 netns machine &&
    ip link set tap0 master br0 up && ip netns exec machine ip link set lo up &&
    ip netns exec machine ip address add ${address}/24 dev eth0 &&
    ip netns exec machine ip link set eth0 mtu 1280 up`
}

function inMachine(command: string): string {
  return `ip netns exec machine sh -c '${command}'`
}

async function machinePings(node: LabNode, address: string): Promise<boolean> {
  const { exitCode } = await node.namespace.run(['sh', '-c', inMachine(`ping -n -c1 -W1 ${address}`)])
  return exitCode === 0
}

async function hasPort(node: LabNode, device: string): Promise<boolean> {
  return (await shell(node, 'ip -o link show type vxlan')).includes(`${device}: <`)
    ? (await shell(node, `ip -o link show ${device}`)).includes('master br0')
    : false
}

function addresses(node: LabNode, device: string): Promise<string> {
  return shell(node, `ip -brief address show ${device}`)
}

function shell(node: LabNode, script: string): Promise<string> {
  return node.namespace.must(['sh', '-c', script])
}
