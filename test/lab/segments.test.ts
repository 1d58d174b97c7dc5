import { afterEach, describe, expect, it } from 'vitest'
import { createLab, eventually, type Lab } from './lab.ts'
import type { ConfigurationText, LabNode } from './node.ts'
import { allUp, pings } from './overlay.ts'

let lab: Lab | null = null
afterEach(() => {
  lab?.cleanup()
  lab = null
})

const office = (index: number) => ({
  interface: 'office',
  vni: 7,
  prefixes: ['10.70.0.0/24', '10.71.0.0/24'],
  addresses: [`10.70.0.${index}/24`],
})
const storage = (index: number) => ({
  interface: 'storage',
  vni: 8,
  prefixes: ['10.80.0.0/24'],
  addresses: [`10.80.0.${index}/24`],
})
const guests = (index: number) => ({
  interface: 'guests',
  vni: 9,
  port: 4790,
  mtu: 1290,
  ageing: '60s',
  prefixes: ['10.90.0.0/24'],
  addresses: index === 2 ? [] : [`10.90.0.${index}/24`],
})

/** Node 2 is not in `storage`. */
async function started(): Promise<readonly [LabNode, LabNode, LabNode]> {
  const configure = (base: ConfigurationText, index: number) => ({
    ...base,
    segments: index === 2 ? [office(index)] : [office(index), storage(index)],
  })
  lab = await createLab({ nodes: 3, configure })
  for (const node of lab.nodes) node.start()
  await allUp(lab.nodes)
  return lab.nodes as unknown as readonly [LabNode, LabNode, LabNode]
}

describe('several segments', () => {
  it('reach those who are in them, and nobody else', async () => {
    const [first, second, third] = await started()
    await eventually('both segments carry', async () => {
      return (await pings(first, '10.70.0.2')) && (await pings(first, '10.80.0.3'))
    })
    const shown = (node: LabNode) => expect.poll(() => flooded(node), { timeout: 10_000 })
    await shown(first).toEqual({ [second.name]: [7], [third.name]: [7, 8] })
    await shown(second).toEqual({ [first.name]: [7], [third.name]: [7] })
    const addresses = await first.namespace.must(['ip', '-brief', 'address', 'show', 'office'])
    expect(addresses).toMatch(/ 10\.70\.0\.1\/24 .*10\.71\.0\.\d+\/24/)
  })

  it('come, change and go by reload without a lost packet in the others', async () => {
    const nodes = await started()
    const [first, second, third] = nodes
    await eventually('the office carries', () => pings(first, '10.70.0.2'))
    const before = await ifindex(first, 'office')
    const running = first.namespace.run(['ping', '-n', '-q', '-i0.05', '-c160', '-W2', '10.70.0.2'])
    for (const node of nodes) reload(node, [office(node.index), guests(node.index)])
    await eventually('the guests carry', () => pings(first, '10.90.0.3'))
    expect((await running).stdout).toContain('160 received')
    expect(await ifindex(first, 'office')).toBe(before)
    const link = await first.namespace.must(['ip', '-details', 'link', 'show', 'guests'])
    expect(link).toMatch(/mtu 1290 [\s\S]*vxlan id 9 .*dstport 4790 .*ageing 60 /)
    expect(await second.namespace.must(['ip', '-brief', 'address', 'show', 'guests'])).not.toContain('10.90.')
    await eventually('nothing of storage is left', async () => (await leftovers(first, 'storage')) === '')
    reload(first, [office(1), { ...guests(1), addresses: ['10.90.0.11/24'] }])
    await eventually('a changed address answers', () => pings(third, '10.90.0.11'))
  })

  it('leave no guard behind when somebody deletes them while lnetd is stopped', async () => {
    const [first] = await started()
    await first.stop()
    await first.namespace.must(['ip', 'link', 'delete', 'storage'])
    expect(await leftovers(first, 'storage')).not.toBe('')
    first.configuration = { ...first.configuration, segments: [office(1)] }
    first.start()
    await first.listening()
    await eventually('the guard is gone', async () => (await leftovers(first, 'storage')) === '')
  })
})

/** By member, the VNIs whose flood list it is in; as of the last look, which follows a change of them a moment later. */
async function flooded(node: LabNode): Promise<Record<string, readonly number[]>> {
  const reply = await node.ask('peers')
  if (!reply.ok) throw new Error(reply.message)
  return Object.fromEntries(
    reply.view.peers.map(({ name, segments }) => [
      name,
      segments.filter(({ flood }) => flood).map(({ vni }) => vni),
    ]),
  )
}

function reload(node: LabNode, segments: readonly object[]): void {
  node.configuration = { ...node.configuration, segments }
  node.write()
  process.kill(node.pid() as number, 'SIGHUP')
}

async function ifindex(node: LabNode, device: string): Promise<string> {
  return (await node.namespace.must(['cat', `/sys/class/net/${device}/ifindex`])).trim()
}

/** What names a segment in the kernel. */
async function leftovers(node: LabNode, segment: string): Promise<string> {
  const found = await node.namespace.run(['sh', '-c', `ip -o link; nft list tables; ip route`])
  return found.stdout
    .split('\n')
    .filter(line => line.includes(segment))
    .join('\n')
}
