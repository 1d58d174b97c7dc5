import { randomBytes } from 'node:crypto'
import { afterEach, describe, expect, it } from 'vitest'
import { createLab, eventually, type Lab, type LabOptions } from './lab.ts'
import type { ConfigurationText, LabNode } from './node.ts'
import { allUp, pings, silentPairs } from './overlay.ts'

let lab: Lab | null = null
afterEach(() => {
  lab?.cleanup()
  lab = null
})

async function started(options: LabOptions): Promise<readonly LabNode[]> {
  lab = await createLab(options)
  for (const node of lab.nodes) node.start()
  return lab.nodes
}

async function formed(options: LabOptions): Promise<readonly LabNode[]> {
  const nodes = await started(options)
  await allUp(nodes)
  await eventually('every pair answers', async () => ((await silentPairs(nodes)).length === 0 ? true : null))
  return nodes
}

describe('a mesh', () => {
  it('forms on one LAN without any bootstrap address, by mDNS', async () => {
    const nodes = await formed({
      nodes: 3,
      configure: ({ bootstrap: _, ...rest }) => ({ ...rest, discovery: { mdns: true } }),
    })
    expect(nodes.map(node => node.configuration.bootstrap)).toEqual([undefined, undefined, undefined])
  })

  it('has IPv4 VTEPs where the prefix says so', async () => {
    const tunnel = (index: number) => ({
      prefix: '192.168.228.0/24',
      ...(index === 1 ? { address: '192.168.228.166' } : {}),
    })
    const nodes = await formed({ nodes: 3, configure: (base, index) => ({ ...base, tunnel: tunnel(index) }) })
    const vteps = await Promise.all(nodes.map(ownVtep))
    expect(vteps[0]).toBe('192.168.228.166')
    expect(new Set(vteps).size).toBe(3)
    for (const vtep of vteps) expect(vtep).toMatch(/^192\.168\.228\.\d+$/)
  })

  it('has the addresses and names of a hand-written network, where the configuration says them', async () => {
    const overlay = [
      ['192.168.102.1/24', 'fde9:632e:2c3f:0:62bb:bbe3:3778:37ad/64'],
      ['192.168.102.2/24', 'fde9:632e:2c3f:0:62bb:bbe3:3778:37ae/64'],
    ]
    const nodes = await formed({
      nodes: 2,
      configure: (base, index) => ({
        ...base,
        tunnel: { interface: 'wg0', prefix: '192.168.228.0/24', address: `192.168.228.${165 + index}` },
        segments: [{ interface: 'vwg0', vni: 49371, port: 4789, addresses: overlay[index - 1] }],
      }),
    })
    const [first] = nodes as [LabNode]
    const addresses = async (device: string) =>
      first.namespace.must(['ip', '-brief', 'address', 'show', device])
    expect(await addresses('wg0')).toContain('192.168.228.166/24')
    for (const address of overlay[0] as string[]) expect(await addresses('vwg0')).toContain(address)
    const link = await first.namespace.must(['ip', '-details', 'link', 'show', 'vwg0'])
    expect(link).toMatch(/vxlan id 49371 .*dstport 4789/)
    for (const address of overlay[1] as string[])
      expect(await pings(first, address.split('/')[0] as string)).toBe(true)
  })

  it('agrees on the MTU of the narrowest node', async () => {
    const narrow = 1460
    const tunnel = narrow - 80
    const nodes = await formed({ nodes: 3, mtu: index => (index === 2 ? narrow : 1500) })
    for (const node of nodes) {
      await eventually(`${node.name} has the agreed MTUs`, async () =>
        (await mtuOf(node, 'lnet0')) === tunnel && (await mtuOf(node, 'vlnet0')) === tunnel - 70
          ? true
          : null,
      )
    }
    // Less the headers of IPv6 and ICMPv6: the largest packet that needs no fragments.
    const largest = tunnel - 70 - 48
    const [first, , last] = nodes as [LabNode, LabNode, LabNode]
    const reply = await last.ask('peers')
    const address = reply.ok ? reply.view.self?.segments[0]?.addresses.find(a => a.includes(':')) : undefined
    const target = String(address).split('/')[0] as string
    const ping = ['ping', '-n', '-c2', '-W2', '-M', 'do', '-s', String(largest), target]
    expect(await first.namespace.run(ping)).toMatchObject({ exitCode: 0 })
  })

  it('honours pinned addresses, several segments and another interface name', async () => {
    const segments = (index: number) => [
      { interface: 'office', vni: 7, prefixes: ['10.70.0.0/24'], addresses: [`10.70.0.${index}/24`] },
      { interface: 'storage', vni: 8, prefixes: ['10.80.0.0/24'] },
    ]
    const nodes = await formed({
      nodes: 2,
      configure: (base, index) => ({ ...base, tunnel: { interface: 'tunnel9' }, segments: segments(index) }),
    })
    const [first, second] = nodes as [LabNode, LabNode]
    expect(await first.namespace.run(['ping', '-n', '-c1', '-W2', '10.70.0.2'])).toMatchObject({
      exitCode: 0,
    })
    expect(await second.namespace.run(['ping', '-n', '-c1', '-W2', '10.70.0.1'])).toMatchObject({
      exitCode: 0,
    })
    expect(await second.namespace.must(['ip', '-br', 'address', 'show', 'storage'])).toMatch(
      /10\.80\.0\.\d+\/24/,
    )
  })
})

describe('a wrong secret', () => {
  it('is said to be the likely cause, and lets nobody in', async () => {
    const stranger = (base: ConfigurationText, index: number) =>
      index === 2 ? { ...base, mesh: { secret: randomBytes(32).toString('base64') } } : base
    const nodes = await started({ nodes: 2, configure: stranger })
    const told = await eventually('the status explains itself', async () => {
      const { stdout } = await (nodes[1] as LabNode).lnetctl(['status'])
      return /secret/i.test(stdout) ? stdout : null
    })
    expect(told).toMatch(/mesh secret may differ/i)
    for (const node of nodes) {
      const reply = await node.ask('peers')
      expect(reply.ok && reply.view.peers).toEqual([])
    }
  })
})

async function ownVtep(node: LabNode): Promise<string | undefined> {
  const reply = await node.ask('peers')
  return reply.ok ? reply.view.self?.vtep : undefined
}

async function mtuOf(node: LabNode, device: string): Promise<number> {
  const links = JSON.parse(await node.namespace.must(['ip', '-json', 'link', 'show', device])) as {
    mtu: number
  }[]
  return links[0]?.mtu as number
}
