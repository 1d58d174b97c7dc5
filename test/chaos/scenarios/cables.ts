import { setTimeout as sleep } from 'node:timers/promises'
import type { LabNode } from '../../lab/node.ts'
import { type Scenario, type Scene, unixSeconds } from '../scene.ts'
import { pairsOf } from '../traffic.ts'

/** Cables are pulled and plugged in again, at the switch. */
export const cableScenarios: readonly Scenario[] = [
  {
    name: 'cable-5s',
    about: 'a cable is pulled for 5 s: traffic back within 1 s of the plug',
    run: scene => pull(scene, 5),
  },
  {
    name: 'cable-60s',
    about: 'a cable is pulled for 60 s: traffic back within 1 s of the plug',
    run: scene => pull(scene, 60),
  },
]

async function pull(scene: Scene, seconds: number): Promise<void> {
  const mesh = await scene.mesh(4)
  const node = mesh.nodes[3] as LabNode
  const others = mesh.nodes.slice(0, 3)
  const pairs = [...pairsOf([node], others, mesh.addresses), ...pairsOf(others, [node], mesh.addresses)]
  const traffic = scene.watch(pairs)
  await sleep(1000)
  await mesh.port(node, 'down')
  scene.say(`the cable of ${node.name} is pulled`)
  await sleep(seconds * 1000)
  await mesh.port(node, 'up')
  const since = unixSeconds()
  scene.say('and plugged in again')
  await sleep(15_000)
  scene.traffic('to and from it', since, await traffic.stop(), { seconds: 1, lost: null })
}
