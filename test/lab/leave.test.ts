import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createLab, eventually, type Lab } from './lab.ts'
import type { LabNode } from './node.ts'
import { allUp, membersUp, overlayAddresses, silentPairs } from './overlay.ts'

let lab: Lab
let nodes: readonly LabNode[]

beforeAll(async () => {
  lab = await createLab({ nodes: 3 })
  nodes = lab.nodes
  for (const node of nodes) node.start()
  await allUp(nodes)
})
afterAll(() => lab.cleanup())

describe('lnetctl down', () => {
  it('takes the data plane away and ends the daemon; a later start brings it back as it was', async () => {
    const node = nodes[2] as LabNode
    const before = await overlayAddresses(node)
    expect(await node.lnetctl(['down'])).toMatchObject({ exitCode: 0, stderr: '' })
    await eventually('the daemon is gone', () => (node.pid() === null ? true : null))
    expect(await devices(node)).toEqual(['eth0', 'lo'])
    expect((await node.namespace.must(['nft', 'list', 'ruleset'])).trim()).toBe('')
    node.start()
    await allUp(nodes)
    expect(await overlayAddresses(node)).toEqual(before)
    expect(await silentPairs(nodes)).toEqual([])
  })
})

describe('lnetctl leave', () => {
  it('tells the others, who forget the way at once', async () => {
    const leaver = nodes[1] as LabNode
    const others = nodes.filter(node => node !== leaver)
    const reply = await leaver.ask('peers')
    const vtep = reply.ok ? String(reply.view.self?.vtep) : ''
    expect(await leaver.lnetctl(['leave'])).toMatchObject({ exitCode: 0, stderr: '' })
    await eventually('the daemon is gone', () => (leaver.pid() === null ? true : null))
    expect(await devices(leaver)).toEqual(['eth0', 'lo'])
    for (const node of others) {
      await eventually(`${node.name} has no way to ${vtep}`, async () => {
        const shown = await node.namespace.must(['bridge', 'fdb', 'show', 'dev', 'vlnet0'])
        return shown.includes(vtep) ? null : true
      })
      await eventually(`${node.name} sees one`, async () => ((await membersUp(node)) === 1 ? true : null))
      const view = await node.ask('peers')
      const row = view.ok ? view.view.peers.find(({ name }) => name === leaver.name) : undefined
      expect(row === undefined || (row.state === 'left' && row.gossip === 'left')).toBe(true)
    }
  })

  it('is not for ever: a later start joins again', async () => {
    nodes[1]?.start()
    await allUp(nodes)
    expect(await silentPairs(nodes)).toEqual([])
  })
})

async function devices(node: LabNode): Promise<string[]> {
  const links = JSON.parse(await node.namespace.must(['ip', '-json', 'link'])) as { ifname: string }[]
  return links.map(({ ifname }) => ifname).sort()
}
