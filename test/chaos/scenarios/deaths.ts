import { setTimeout as sleep } from 'node:timers/promises'
import type { PeerRow } from '../../../src/control/protocol.ts'
import type { LabNode } from '../../lab/node.ts'
import { type Scenario, type Scene, unixSeconds } from '../scene.ts'
import { pairsOf } from '../traffic.ts'
import { rowOf, rowsOf, secondsUntil } from '../until.ts'

/** A node goes without a word, or with one. */
export const deathScenarios: readonly Scenario[] = [
  {
    name: 'dead-node-shown',
    about: 'a node loses its power: every other shows it down and silent, with a reason, within 60 s',
    patient: true,
    run: deadNode,
  },
  {
    name: 'farewell',
    about: 'a node leaves: gone from all flood lists at once, and not brought back by a restart of another',
    run: farewell,
  },
]

async function deadNode(scene: Scene): Promise<void> {
  const mesh = await scene.mesh(4)
  const dead = mesh.nodes[3] as LabNode
  const others = mesh.nodes.slice(0, 3)
  await mesh.powerOff(dead)
  const since = unixSeconds()
  scene.say(`${dead.name} lost its power`)
  const isShown = (row: PeerRow) => row.state === 'down' && row.gossip === 'silent' && row.reason !== null
  await Promise.all(
    others.map(async node => {
      const seconds = await secondsUntil(since, async () => isShown(await rowOf(node, dead)), 120)
      scene.figure({ what: `shown by ${node.name}`, seconds, boundSeconds: 60, lost: null, lostMax: null })
    }),
  )
}

/** How long copies of its older words have to bring it back. */
const cacheSeconds = 12

async function farewell(scene: Scene): Promise<void> {
  const mesh = await scene.mesh(4)
  const [n1, n2, n3, leaving] = mesh.nodes as [LabNode, LabNode, LabNode, LabNode]
  const rest = [n1, n2, n3]
  const traffic = scene.watch(pairsOf(rest, rest, mesh.addresses))
  const { vtep } = await rowOf(n1, leaving)
  const since = unixSeconds()
  // Answers when its own devices are gone, later than the others have heard of it.
  const left = leaving.lnetctl(['leave'])
  await Promise.all(
    rest.map(async node => {
      const seconds = await secondsUntil(since, async () => !(await floodsTo(node, vtep)), 30)
      scene.figure({ what: `gone from ${node.name}`, seconds, boundSeconds: 2, lost: null, lostMax: null })
    }),
  )
  const { exitCode, stderr } = await left
  if (exitCode !== 0) throw new Error(`lnetctl leave: ${stderr}`)
  await n2.stop('SIGKILL')
  n2.start()
  await n2.listening()
  const until = unixSeconds() + cacheSeconds
  while (unixSeconds() < until) {
    for (const node of rest)
      if (await floodsTo(node, vtep)) throw new Error(`${node.name} floods to it again`)
    await sleep(500)
  }
  for (const node of rest) {
    const row = (await rowsOf(node)).find(({ name }) => name === leaving.name)
    if (row !== undefined && row.state !== 'left') throw new Error(`${node.name} shows it as ${row.state}`)
  }
  scene.say(`it did not come back for ${cacheSeconds} s after a restart of ${n2.name}`)
  scene.traffic('the others', since, await traffic.stop(), { seconds: null, lost: 0 })
}

async function floodsTo(node: LabNode, vtep: string): Promise<boolean> {
  const entries = await node.namespace.must(['bridge', 'fdb', 'show', 'dev', 'vlnet0'])
  return entries
    .split('\n')
    .some(line => line.startsWith('00:00:00:00:00:00 ') && line.includes(`dst ${vtep} `))
}
