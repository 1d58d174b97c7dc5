import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { oldServiceOf } from '../../src/gossip/mdns-names.ts'
import { nodeId } from '../mesh/world.ts'
import { createLab, eventually, type Lab } from './lab.ts'
import { connect, createSwitch, type Namespace } from './namespace.ts'
import type { LabNode } from './node.ts'
import { allUp, silentPairs } from './overlay.ts'
import { node24, root } from './root.ts'

let lab: Lab | null = null
let lan: Namespace | null = null
afterEach(() => {
  lab?.cleanup()
  lan?.close()
  lab = null
  lan = null
})

describe('machines on one LAN, with nothing but the secret', () => {
  it('find each other by interfaces that come later, and go on by another one', async () => {
    lab = await createLab({
      nodes: 2,
      configure: ({ bootstrap: _, ...rest }) => ({ ...rest, discovery: { mdns: true } }),
    })
    const [first, second] = lab.nodes as unknown as readonly [LabNode, LabNode]
    await link(second, 'eth0', 'down')
    for (const node of lab.nodes) node.start()
    for (const node of lab.nodes) await node.listening()
    await sleep(3000)
    expect(await endpointOf(first)).toBeNull()

    lan = await createSwitch('lan', [])
    const ports = [first, second].map(node => ({
      node: node.namespace,
      interface: 'eth1',
      addresses: [`198.51.100.${node.index}/24`],
    }))
    await connect(lan, ports)
    await allUp(lab.nodes)
    expect(await endpointOf(first)).toBe('198.51.100.2:51820')
    expect(await endpointOf(second)).toBe('198.51.100.1:51820')

    await link(second, 'eth0', 'up')
    await sleep(3000)
    for (const node of lab.nodes) await link(node, 'eth1', 'down')
    await eventually('they reach each other by the first one', async () => {
      const silent = await silentPairs(lab?.nodes ?? [])
      return silent.length === 0
    })
    expect(await endpointOf(first)).toMatch(/^(192\.0\.2\.2|\[2001:db8::2\]):51820$/)
  })
})

describe('a stranger on the LAN that knows the name 0.1.0 gives the mesh', () => {
  it('is asked back, and has this machine dial the stranger’s own address and no other', async () => {
    lab = await createLab({
      nodes: 2,
      configure: ({ bootstrap: _, ...rest }) => ({ ...rest, discovery: { mdns: true } }),
    })
    const [node, stranger] = lab.nodes as unknown as readonly [LabNode, LabNode]
    node.start()
    await node.listening()
    const status = await node.ask('status')
    if (!status.ok) throw new Error('no status')
    const { mesh, self } = status.view
    const ids = [1, 2].map(index => nodeId(index))
    const trap = `let n = 0; const trap = socket => { n += 1; socket.destroy() }
      require('net').createServer(trap).listen(6000, '::'); require('net').createServer(trap).listen('/run/trap')
      setTimeout(() => { console.log(n); process.exit() }, 8000)`
    const [caught, told] = await Promise.all([
      node.namespace.must([node24, '-e', trap]),
      stranger.namespace.must([
        ...[node24, join(root, 'test/lab/lan-stranger.ts'), oldServiceOf(`/lnet/1/${mesh}`)],
        ...[stranger.underlay.ipv4, '7000', ...ids],
      ]),
    ])
    const seen = JSON.parse(told)
    expect(seen.asked).toContain(node.underlay.ipv4)
    expect(seen.dialled).toBeGreaterThan(0)
    expect([Number(caught), seen.trapped]).toEqual([0, 0])
    // Whoever listens learns the day’s name, and not who is there.
    expect(seen.packets.length).toBeGreaterThan(0)
    expect(seen.packets.filter((packet: string) => packet.includes(String(self?.node)))).toEqual([])
  })
})

describe('two machines with one disk, and nobody to tell them', () => {
  it('find out, and both say so', async () => {
    lab = await createLab({
      nodes: 2,
      configure: ({ bootstrap: _, ...rest }) => ({ ...rest, name: 'twin', discovery: { mdns: true } }),
    })
    const [first, second] = lab.nodes as unknown as readonly [LabNode, LabNode]
    first.start()
    await first.listening()
    expect(await identityProblem(first)).toBeNull()
    await first.stop()
    cpSync(join(first.directory, 'state'), join(second.directory, 'state'), { recursive: true, force: true })
    for (const node of lab.nodes) node.start()
    for (const [node, other] of [
      [first, second],
      [second, first],
    ] as const) {
      const message = await eventually('it says so', () => identityProblem(node))
      expect(message).toContain(`another machine, at ${other.underlay.ipv4}:51821,`)
      expect((await node.lnetctl(['status', '--check'])).exitCode).toBe(4)
      expect(node.logs().filter(({ event }) => event === 'identity.met')).toHaveLength(1)
    }
  })
})

describe('two machines, each told where the other one is', () => {
  it('are a mesh that asks nobody else and is nearly silent', async () => {
    lab = await createLab({
      nodes: 2,
      configure: (base, index) => ({ ...base, bootstrap: [`192.0.2.${3 - index}`] }),
    })
    const [first] = lab.nodes as unknown as readonly [LabNode, LabNode]
    for (const node of lab.nodes) node.start()
    await allUp(lab.nodes)
    await sleep(10_000)
    const before = await bytesOf(first)
    const capture = await first.namespace.run(
      ['timeout', '20', 'tcpdump', '-nn', '-q', '-l', '-i', 'eth0', 'ip or ip6'],
      { milliseconds: 60_000 },
    )
    const bytes = ((await bytesOf(first)) - before) / 20
    console.log(`two machines alone: ${Math.round(bytes)} bytes a second, both directions`)
    const lines = capture.stdout.split('\n').filter(line => line.includes(' > '))
    expect(lines.length).toBeGreaterThan(0)
    const between =
      /^\S+ (IP|IP6) (192\.0\.2\.[12]|2001:db8::[12])\.\d+ > (192\.0\.2\.[12]|2001:db8::[12])\.\d+: /
    // Neighbour discovery and MLD are the kernel's.
    expect(lines.filter(line => !between.test(line) && !/ICMP6|HBH/.test(line))).toEqual([])
    expect(bytes).toBeLessThan(500)
  })
})

async function identityProblem(node: LabNode): Promise<string | null> {
  const reply = await node.ask('status')
  const problems = reply.ok ? reply.view.problems : []
  return problems.find(({ code }) => code === 'identity-in-use')?.message ?? null
}

async function link(node: LabNode, device: string, state: 'up' | 'down'): Promise<void> {
  await node.namespace.must(['ip', 'link', 'set', device, state])
}

/** Where the tunnel to the other one leads; null while there is none. */
async function endpointOf(node: LabNode): Promise<string | null> {
  const reply = await node.ask('peers')
  return reply.ok ? (reply.view.peers[0]?.endpoint ?? null) : null
}

async function bytesOf(node: LabNode): Promise<number> {
  const files = ['rx_bytes', 'tx_bytes'].map(name => `/sys/class/net/eth0/statistics/${name}`)
  const counts = (await node.namespace.must(['cat', ...files])).split('\n').map(Number)
  return counts.reduce((sum, count) => sum + count, 0)
}
