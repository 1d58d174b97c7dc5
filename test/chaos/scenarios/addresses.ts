import { setTimeout as sleep } from 'node:timers/promises'
import type { LabNode } from '../../lab/node.ts'
import type { Mesh } from '../mesh.ts'
import { type Scenario, type Scene, unixSeconds } from '../scene.ts'
import { type Pair, pairsOf } from '../traffic.ts'

/** The underlay gives nodes other addresses. */
export const addressScenarios: readonly Scenario[] = [
  {
    name: 'move-all-talk',
    about: 'a node gets other underlay addresses while all talk: reachable again within 1 s',
    run: scene =>
      move(scene, [4], (mesh, moved, others) => [...to(mesh, moved, others), ...to(mesh, others, moved)]),
  },
  {
    name: 'move-others-talk',
    about: 'the same while only the others talk and the moved node is silent',
    run: scene => move(scene, [4], (mesh, moved, others) => to(mesh, others, moved)),
  },
  {
    name: 'move-bootstrap',
    about: 'the bootstrap itself gets other underlay addresses while all talk',
    run: scene =>
      move(scene, [1], (mesh, moved, others) => [...to(mesh, moved, others), ...to(mesh, others, moved)]),
  },
  {
    name: 'move-two-at-once',
    about: 'two nodes get other underlay addresses at the same moment, while all talk',
    run: scene => move(scene, [3, 4], mesh => to(mesh, mesh.nodes, mesh.nodes)),
  },
]

function to(mesh: Mesh, from: readonly LabNode[], others: readonly LabNode[]): Pair[] {
  return pairsOf(from, others, mesh.addresses)
}

async function move(
  scene: Scene,
  indexes: readonly number[],
  choose: (mesh: Mesh, moved: readonly LabNode[], others: readonly LabNode[]) => Pair[],
): Promise<void> {
  const mesh = await scene.mesh(4)
  const moved = mesh.nodes.filter(({ index }) => indexes.includes(index))
  const others = mesh.nodes.filter(({ index }) => !indexes.includes(index))
  const traffic = scene.watch(choose(mesh, moved, others))
  await sleep(2000)
  const since = unixSeconds()
  await Promise.all(moved.map(node => readdress(node, 100)))
  scene.say(`${moved.map(({ name }) => name).join(', ')}: other addresses of both families`)
  await sleep(8000)
  scene.traffic('every watched pair', since, await traffic.stop(), { seconds: 1, lost: null })
}

/** Takes both addresses away and gives others of the same networks, in one breath, as a new lease does. */
async function readdress(node: LabNode, offset: number): Promise<void> {
  const ipv4 = `192.0.2.${node.index + offset}/24`
  const ipv6 = `2001:db8::${(node.index + offset).toString(16)}/64`
  const lines = [
    `address del ${node.underlay.ipv4}/24 dev eth0`,
    `address del ${node.underlay.ipv6}/64 dev eth0`,
    `address add ${ipv4} dev eth0`,
    `address add ${ipv6} dev eth0 nodad`,
    'route replace default via 192.0.2.254 dev eth0',
    'route replace default via 2001:db8::fe dev eth0',
  ]
  await node.namespace.must(['ip', '-batch', '-'], { input: lines.join('\n') })
}
