import { setTimeout as sleep } from 'node:timers/promises'
import type { LabNode } from '../../lab/node.ts'
import type { Mesh } from '../mesh.ts'
import { type Scenario, type Scene, unixSeconds } from '../scene.ts'
import { type Pair, pairsOf } from '../traffic.ts'

/** Machines go and come back with nothing but their disk. */
export const rebootScenarios: readonly Scenario[] = [
  {
    name: 'reboot',
    about: 'a node reboots: back with all within 1 s of the start of lnetd',
    async run(scene) {
      const mesh = await scene.mesh(4)
      await reboot(scene, mesh, mesh.nodes.slice(0, 3))
    },
  },
  {
    name: 'reboot-bootstrap-dead',
    about: 'the bootstrap dies for good, then another node reboots: back within 1 s of the start of lnetd',
    async run(scene) {
      const mesh = await scene.mesh(4)
      await mesh.powerOff(mesh.nodes[0] as LabNode)
      scene.say('n1, the bootstrap, is dead')
      await reboot(scene, mesh, mesh.nodes.slice(1, 3))
    },
  },
  {
    name: 'bootstrap-dies',
    about: 'the bootstrap dies for good: the mesh holds, a new node joins through another within 1 s',
    run: bootstrapDies,
  },
]

/** Reboots the last node of four. */
async function reboot(scene: Scene, mesh: Mesh, others: readonly LabNode[]): Promise<void> {
  const old = mesh.nodes[3] as LabNode
  await mesh.powerOff(old)
  await sleep(3000)
  const node = await mesh.powerOn(old)
  scene.say(`${node.name} is on again`)
  const pairs: Pair[] = [
    ...pairsOf([node], others, mesh.addresses),
    ...pairsOf(others, [node], mesh.addresses),
  ]
  const traffic = scene.watch(pairs)
  await sleep(500)
  const since = unixSeconds()
  node.start()
  await node.listening()
  scene.say(`lnetd listens ${(unixSeconds() - since).toFixed(2)} s after its start`)
  await sleep(10_000)
  scene.traffic('to and from it', since, await traffic.stop(), { seconds: 1, lost: null })
}

async function bootstrapDies(scene: Scene): Promise<void> {
  const configure = (configuration: object, index: number) =>
    index === 5 ? { ...configuration, bootstrap: ['192.0.2.1', '192.0.2.2'] } : { ...configuration }
  const mesh = await scene.mesh(5, { spare: 1, configure })
  const rest = mesh.nodes.slice(1, 4)
  const newcomer = mesh.nodes[4] as LabNode
  const held = scene.watch(pairsOf(rest, rest, mesh.addresses))
  await sleep(500)
  const died = unixSeconds()
  await mesh.powerOff(mesh.nodes[0] as LabNode)
  scene.say('n1, the bootstrap, is dead')
  await sleep(15_000)
  scene.traffic('the others', died, await held.stop(), { seconds: null, lost: 0 })
  const since = unixSeconds()
  newcomer.start()
  await newcomer.listening()
  const seconds = await untilUp(newcomer, rest, since)
  scene.figure({ what: 'a new node is up with all', seconds, boundSeconds: 1, lost: null, lostMax: null })
}

/** Seconds after `since` until the node shows all others up, and they it. */
async function untilUp(node: LabNode, others: readonly LabNode[], since: number): Promise<number> {
  for (;;) {
    const seen = await rowsUp(node)
    const seenBy = await Promise.all(others.map(rowsUp))
    const isWhole =
      others.every(({ name }) => seen.includes(name)) && seenBy.every(rows => rows.includes(node.name))
    const seconds = unixSeconds() - since
    if (isWhole || seconds > 60) return seconds
    await sleep(20)
  }
}

async function rowsUp(node: LabNode): Promise<readonly string[]> {
  const reply = await node.ask('peers')
  return reply.ok ? reply.view.peers.filter(({ state }) => state === 'up').map(({ name }) => name) : []
}
