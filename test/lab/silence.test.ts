import { afterAll, beforeAll, expect, it } from 'vitest'
import { createLab, eventually, type Lab } from './lab.ts'
import type { LabNode } from './node.ts'
import { allUp, overlayAddresses, pings } from './overlay.ts'

/** Three machines; the lnetd of the last one dies, and its kernel goes on. */
let lab: Lab
const reason = 'its lnetd does not answer; traffic goes on'

beforeAll(async () => {
  lab = await createLab({ nodes: 3 })
  for (const node of lab.nodes) node.start()
  await allUp(lab.nodes)
})
afterAll(() => lab.cleanup())

it('names a member whose lnetd died within two minutes, on all others, until it is back', async () => {
  const [first, second, third] = lab.nodes as [LabNode, LabNode, LabNode]
  const { ipv4 } = await overlayAddresses(third)
  await third.stop('SIGKILL')
  const others = [first, second]
  await eventually('its death is shown', async () => (await all(others, reason)) || null, 120)
  expect(await pings(first, ipv4)).toBe(true)
  await eventually('it is an event', async () => (await events(first)).includes(`n3: ${reason}`) || null, 15)
  third.start()
  await eventually('it is back', async () => (await all(others, null)) || null, 30)
})

async function events(node: LabNode): Promise<string> {
  return (await node.lnetctl(['events'])).stdout
}

async function all(nodes: readonly LabNode[], expected: string | null): Promise<boolean> {
  const views = await Promise.all(nodes.map(node => node.lnetctl(['peers', '--json'])))
  return views.every(({ stdout }) => {
    const { peers } = JSON.parse(stdout) as {
      peers: { name: string; state: string; gossip: string; reason: string | null }[]
    }
    const row = peers.find(({ name }) => name === lab.nodes[2]?.name)
    const gossip = expected === null ? 'live' : 'silent'
    return row?.state === 'up' && row.gossip === gossip && row.reason === expected
  })
}
