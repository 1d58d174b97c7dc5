import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createLab, eventually, type Lab } from './lab.ts'
import type { LabNode } from './node.ts'
import { allUp, overlayAddresses, pings, silentPairs } from './overlay.ts'

/** One mesh of four, told only the first one's address; the tests follow each other through its life. */
let lab: Lab
let nodes: readonly LabNode[]

beforeAll(async () => {
  lab = await createLab({ nodes: 4 })
  nodes = lab.nodes
})
afterAll(() => lab.cleanup())

describe('a mesh', () => {
  it('is not there before the daemons are, and there with them', async () => {
    const [first, last] = [nodes[0] as LabNode, nodes[3] as LabNode]
    first.start()
    const { ipv4, ipv6 } = await overlayAddresses(first)
    expect(await pings(last, first.underlay.ipv4)).toBe(true)
    expect(await pings(last, ipv4)).toBe(false)
    expect(await pings(last, ipv6)).toBe(false)
    for (const node of nodes.slice(1)) node.start()
    await allUp(nodes)
    expect(await silentPairs(nodes)).toEqual([])
  })

  it('is the whole of each node: as many flood entries as there are others, and nothing left to do', async () => {
    for (const node of nodes) {
      const shown = await node.namespace.must(['bridge', '-json', 'fdb', 'show', 'dev', 'vlnet0'])
      const entries = JSON.parse(shown) as { mac: string; dst?: string }[]
      expect(entries.filter(({ mac }) => mac === '00:00:00:00:00:00')).toHaveLength(nodes.length - 1)
      const plan = await eventually('the plan is empty', () => emptyPlan(node), 15)
      expect(plan).toEqual({ schema: 1, steps: [] })
    }
  })

  it('costs no broadcast between nodes: the neighbours are known', async () => {
    const [first, second] = [nodes[0] as LabNode, nodes[1] as LabNode]
    const { ipv4 } = await overlayAddresses(second)
    const shown = await first.namespace.must(['ip', 'neigh', 'show', ipv4, 'dev', 'vlnet0'])
    expect(shown).toMatch(/lladdr [0-9a-f:]{17}.* PERMANENT/)
  })

  it('is shown by lnetctl peers --json with the keys of the contract', async () => {
    const [first] = nodes as [LabNode]
    const { stdout, exitCode } = await first.lnetctl(['peers', '--json'])
    expect(exitCode).toBe(0)
    const view = JSON.parse(stdout) as { schema: number; mesh: string; self: object; peers: object[] }
    expect(view.schema).toBe(1)
    expect(view.mesh).toMatch(/^[0-9a-f]+$/)
    expect(view.peers).toHaveLength(nodes.length - 1)
    for (const row of [view.self, ...view.peers]) expect(Object.keys(row)).toEqual(rowKeys)
    for (const row of view.peers) expect(row).toMatchObject(healthyRow)
  })
})

describe('a daemon that ends', () => {
  it.each(['SIGTERM', 'SIGKILL'] as const)('by %s loses no packet, nor when it is back', async signal => {
    const [first, second] = nodes as [LabNode, LabNode]
    const { ipv4 } = await overlayAddresses(second)
    const key = await publicKey(first)
    const outcome = first.namespace.run(['ping', '-n', '-q', '-i', '0.02', '-c', '300', '-W', '1', ipv4])
    await sleep(500)
    expect(await first.stop(signal)).toBe(signal === 'SIGTERM' ? 0 : 'SIGKILL')
    await sleep(500)
    first.start()
    await first.listening()
    expect((await outcome).stdout).toContain('300 packets transmitted, 300 received')
    await allUp(nodes)
    expect(await publicKey(first)).toBe(key)
    await eventually('the plan is empty', () => emptyPlan(first), 15)
  })

  it('ends well in the midst of its work', async () => {
    const last = nodes[3] as LabNode
    for (let round = 0; round < 5; round++) {
      expect(await last.stop()).toBe(0)
      await last.namespace.must(['ip', 'link', 'del', 'vlnet0'])
      last.start()
      await last.listening()
    }
    await allUp(nodes)
  })

  it('keeps its addresses', async () => {
    const last = nodes[3] as LabNode
    const before = await overlayAddresses(last)
    await last.stop()
    last.start()
    await last.listening()
    expect(await overlayAddresses(last)).toEqual(before)
  })
})

describe('the bootstrap node', () => {
  it('may be away: who comes back finds the others by what it remembers', async () => {
    const [first, , , last] = nodes as [LabNode, LabNode, LabNode, LabNode]
    await last.stop()
    expect(await first.lnetctl(['down'])).toMatchObject({ exitCode: 0 })
    await eventually('its lnetd ended', () => first.pid() === null)
    last.start()
    await eventually('the last has neighbours and its members up', async () => {
      const [status, peers] = await Promise.all([last.ask('status'), last.ask('peers')])
      if (!status.ok || !peers.ok) return null
      const up = peers.view.peers.filter(({ state, gossip }) => state === 'up' && gossip === 'live')
      const names = up.map(({ name }) => String(name))
      return status.view.neighbours.length > 0 && ['n2', 'n3'].every(name => names.includes(name))
        ? true
        : null
    })
    expect(await silentPairs(nodes.slice(1))).toEqual([])
    first.start()
    await allUp(nodes)
    expect(await silentPairs(nodes)).toEqual([])
  })
})

const rowKeys = [
  'name',
  'node',
  'public_key',
  'vtep',
  'endpoint',
  'endpoint_kind',
  'state',
  'gossip',
  'seen_seconds',
  'handshake_seconds',
  'rx_bytes',
  'tx_bytes',
  'mtu',
  'version',
  'reason',
  'segments',
]

const healthyRow = {
  name: expect.stringMatching(/^n[1-4]$/),
  public_key: expect.stringMatching(/^[A-Za-z0-9+/]{43}=$/),
  vtep: expect.stringMatching(/^fd[0-9a-f:]+$/),
  endpoint: expect.stringMatching(/:51820$/),
  state: 'up',
  gossip: 'live',
  seen_seconds: expect.any(Number),
  handshake_seconds: expect.any(Number),
  reason: null,
  segments: [
    {
      vni: 49_371,
      interface: 'vlnet0',
      mac: expect.stringMatching(/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/),
      addresses: [
        expect.stringMatching(/^192\.168\.102\.\d+\/24$/),
        expect.stringMatching(/^fd[0-9a-f:]+\/64$/),
      ],
      flood: true,
    },
  ],
}

async function emptyPlan(node: LabNode) {
  const { stdout } = await node.lnetctl(['plan', '--json'])
  const plan = JSON.parse(stdout) as { steps: readonly unknown[] }
  return plan.steps.length === 0 ? plan : null
}

async function publicKey(node: LabNode): Promise<string> {
  return node.namespace.must(['wg', 'show', 'lnet0', 'public-key'])
}
