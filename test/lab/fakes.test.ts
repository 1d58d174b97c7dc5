import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { unprovenPeersMax } from '../../src/model/limits.ts'
import { createLab, eventually, type Lab } from './lab.ts'
import { connect, createNamespace, type Namespace } from './namespace.ts'
import type { LabNode } from './node.ts'
import { allUp } from './overlay.ts'
import { node24, root } from './root.ts'

/** Whoever has the secret can tell of machines that are not there: that costs a moment, and nobody else anything. */
let lab: Lab
let first: LabNode
const others: Namespace[] = []
const victim = '192.0.2.200'
const count = 300

beforeAll(async () => {
  lab = await createLab({ nodes: 2 })
  first = lab.nodes[0] as LabNode
  for (const node of lab.nodes) node.start()
  await allUp(lab.nodes)
  for (const [index, name] of ['victim', 'inventor'].entries()) {
    const space = await createNamespace(name)
    others.push(space)
    const addresses = [`192.0.2.${200 + index}/24`]
    await connect(lab.hub, [{ node: space, interface: 'eth0', addresses }], 60 + index)
  }
})
afterAll(() => {
  for (const space of others) space.close()
  lab.cleanup()
})

it('300 made-up identities get few peers and packets for a moment, no entries, and nothing after a restart', async () => {
  const [third, inventor] = others as [Namespace, Namespace]
  const before = await entries()
  await invent(inventor)
  await eventually('they are known', async () => (await members()) > count / 10)
  let most = 0
  let last = 0
  let quiet = 0
  for (let second = 0; second < 60 && quiet < 10; second += 1) {
    await sleep(1000)
    most = Math.max(most, (await peers()) - 1)
    const packets = await unexpected(third)
    quiet = packets === last ? quiet + 1 : 0
    last = packets
    expect(await entries()).toEqual(before)
  }
  console.info(`${most} unproven peers at most, ${last} packets to the third machine`)
  expect(quiet, 'packets still arrive').toBeGreaterThanOrEqual(10)
  expect(most).toBeGreaterThan(0)
  expect(most).toBeLessThanOrEqual(unprovenPeersMax)
  inventor.close()
  for (const node of lab.nodes) await node.stop()
  for (const node of lab.nodes) node.start()
  await allUp(lab.nodes)
  expect(await members()).toBe(1)
})

/** Flood and unicast entries, and the MTU. */
async function entries(): Promise<unknown> {
  const { namespace } = first
  const fdb = await namespace.must(['bridge', 'fdb', 'show', 'dev', 'vlnet0'])
  const links = JSON.parse(await namespace.must(['ip', '-j', 'link', 'show', 'dev', 'lnet0'])) as {
    mtu: number
  }[]
  return { fdb: fdb.trim().split('\n').sort(), mtu: links[0]?.mtu }
}

async function peers(): Promise<number> {
  const shown = await first.namespace.must(['wg', 'show', 'lnet0', 'peers'])
  return shown.trim().split('\n').length
}

async function members(): Promise<number> {
  const reply = await first.ask('peers')
  return reply.ok ? reply.view.peers.length : 0
}

/** UDP packets for ports nobody listens at. */
async function unexpected(space: Namespace): Promise<number> {
  const [names, values] = (await space.must(['cat', '/proc/net/snmp']))
    .split('\n')
    .filter(line => line.startsWith('Udp:'))
    .map(line => line.split(' ')) as [string[], string[]]
  return Number(values[names.indexOf('NoPorts')])
}

function invent(space: Namespace): Promise<void> {
  const script = join(root, 'test/lab/inventor.ts')
  const secretFile = join(lab.directory, 'mesh.secret')
  const [command, ...args] = space.argv([
    node24,
    script,
    secretFile,
    first.underlay.ipv4,
    String(count),
    victim,
  ])
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  return new Promise((resolve, reject) => {
    child.stdout.once('data', () => resolve())
    child.once('exit', code => reject(new Error(`the inventor ended with ${code}`)))
  })
}
