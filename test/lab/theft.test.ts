import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { formatState, freshState } from '../../src/host/saved-state.ts'
import type { InterfaceAddress } from '../../src/model/address.ts'
import { claimSinceSecondsMin, tenureSeconds } from '../../src/model/limits.ts'
import { vni } from '../mesh/world.ts'
import { createLab, eventually, type Lab } from './lab.ts'
import type { LabNode } from './node.ts'
import { allUp } from './overlay.ts'

/**
 * The second holds a name and a pinned address. The last, a member with a handshake like any other, comes later with both,
 * and its claim names a day long before.
 */
let lab: Lab
const address = '192.168.102.50'
const name = 'holder'

beforeAll(async () => {
  lab = await createLab({
    nodes: 4,
    configure: (configuration, index) =>
      index === 2 || index === 4
        ? { ...configuration, name, segments: [{ interface: 'vlnet0', addresses: [`${address}/24`] }] }
        : { ...configuration, names: true },
  })
})
afterAll(() => lab.cleanup())

it('a live holder keeps its address and its name, on every node, and both are shown as contested', async () => {
  const [first, holder, third, thief] = lab.nodes as [LabNode, LabNode, LabNode, LabNode]
  const witnesses = [first, third]
  for (const node of [first, holder, third]) node.start()
  await allUp([first, holder, third])
  const mac = await macOf(holder)
  await sleep((tenureSeconds + 5) * 1000)
  claimLongAgo(thief)
  thief.start()
  await eventually(
    'all reach the thief, and know it is one',
    async () => {
      const views = await Promise.all(witnesses.map(contests))
      return views.every(subjects => subjects.includes(address) && subjects.includes(name))
    },
    60,
  )
  await eventually('the holder knows, too', async () => (await contests(holder)).includes(address))
  for (const witness of witnesses) {
    const { namespace } = witness
    expect(await namespace.must(['ip', 'neigh', 'show', address, 'dev', 'vlnet0'])).toContain(mac)
    expect((await witness.lnetctl(['names'])).stdout).toMatch(new RegExp(`${address}\\s+${name}\\.lnet`))
    expect(await upMembers(witness)).toBe(3)
    await namespace.must(['ping', '-c', '1', '-W', '2', address])
  }
  expect(await addressesOf(holder)).toContain(`${address}/24`)
  expect(await contests(thief)).toContain(address)
})

/** By the file in which lnetd keeps its claims: what a member says of itself is its own business. */
function claimLongAgo(node: LabNode): void {
  const directory = String(node.configuration.state_dir)
  const claim = {
    vni,
    address: `${address}/24` as InterfaceAddress,
    since: claimSinceSecondsMin,
    pinned: true,
  }
  const state = formatState({ ...freshState, claims: { vtep: null, overlay: [claim] } })
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, 'state.json'), state)
}

async function contests(node: LabNode): Promise<readonly string[]> {
  const reply = await node.ask('status')
  if (!reply.ok) return []
  return reply.view.problems.filter(({ code }) => code === 'claim-contested').map(({ subject }) => subject)
}

async function upMembers(node: LabNode): Promise<number> {
  const reply = await node.ask('peers')
  return reply.ok ? reply.view.peers.filter(({ state }) => state === 'up').length : 0
}

async function macOf(node: LabNode): Promise<string> {
  return (await node.namespace.must(['cat', '/sys/class/net/vlnet0/address'])).trim()
}

async function addressesOf(node: LabNode): Promise<string> {
  return await node.namespace.must(['ip', '-brief', 'address', 'show', 'dev', 'vlnet0'])
}
