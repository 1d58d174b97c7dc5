import { readdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { LabNode } from '../../lab/node.ts'
import { type Scenario, type Scene, unixSeconds } from '../scene.ts'
import { pairsOf } from '../traffic.ts'
import { haveNeighbours, isWhole, secondsUntil } from '../until.ts'

/** Cables are pulled and plugged in again, at the switch. */
export const cableScenarios: readonly Scenario[] = [
  {
    name: 'cable-5s',
    about: 'a cable is pulled for 5 s: traffic back within 1 s of the plug',
    run: scene => pull(scene, 5),
  },
  {
    name: 'cable-50s',
    about: 'a cable is pulled for 50 s, which ends between two tries: traffic back within 1 s of the plug',
    patient: true,
    run: scene => pull(scene, 50),
  },
  {
    name: 'cable-60s',
    about: 'a cable is pulled for 60 s: traffic back within 1 s of the plug',
    patient: true,
    run: scene => pull(scene, 60),
  },
  {
    name: 'far-cable-50s',
    about: 'the same, and the machine cannot see it, as behind a switch: back within 5 s of the plug',
    patient: true,
    run: scene => pull(scene, 50, far),
  },
  {
    name: 'cable-600s',
    about: 'a cable is pulled for 10 min: traffic back within 1 s of the plug',
    long: true,
    run: scene => pull(scene, 600),
  },
  {
    name: 'flapping',
    about: 'two cables flap once a second for a minute: back within 5 s of the end, no crash, no leak',
    patient: true,
    run: flap,
  },
]

/** Of a cable that is out; what else is lost tells nothing. */
const watchedSecondsMax = 10

/** What is done to a port, and how soon traffic has to be back. */
const near = { out: 'down', in: 'up', boundSeconds: 1 }
const far = { out: 'nomaster', in: 'master br0', boundSeconds: 5 }

async function pull(scene: Scene, seconds: number, cable = near): Promise<void> {
  const mesh = await scene.mesh(4)
  const node = mesh.nodes[3] as LabNode
  const others = mesh.nodes.slice(0, 3)
  const pairs = [...pairsOf([node], others, mesh.addresses), ...pairsOf(others, [node], mesh.addresses)]
  await mesh.port(node, cable.out)
  scene.say(`the cable of ${node.name} is pulled`)
  const watched = Math.min(seconds, watchedSecondsMax)
  await sleep((seconds - watched) * 1000)
  const traffic = scene.watch(pairs)
  await sleep(watched * 1000)
  await mesh.port(node, cable.in)
  const since = unixSeconds()
  scene.say('and plugged in again')
  await sleep(8000)
  scene.traffic('to and from it', since, await traffic.stop(), { seconds: cable.boundSeconds, lost: null })
}

const flaps = 30
/** Connections that wait for their end hold some. */
const filesMoreMax = 24
const memoryMoreMebibytesMax = 60

/** The bootstrap's cable and another one's, not in step. */
async function flap(scene: Scene): Promise<void> {
  const mesh = await scene.mesh(4)
  const [n1, , , n4] = mesh.nodes as [LabNode, LabNode, LabNode, LabNode]
  const before = mesh.nodes.map(measure)
  const traffic = scene.watch(pairsOf(mesh.nodes, mesh.nodes, mesh.addresses))
  scene.say(`the cables of n1 and n4 flap ${flaps} times`)
  for (let count = 0; count < flaps; count++) {
    await mesh.port(n1, 'down')
    await mesh.port(n4, 'up')
    await sleep(1000)
    await mesh.port(n1, 'up')
    await mesh.port(n4, 'down')
    await sleep(1000)
  }
  await mesh.port(n4, 'up')
  const since = unixSeconds()
  scene.say('all plugged in')
  const names = mesh.nodes.map(({ name }) => name)
  const isHealed = async () => (await haveNeighbours(mesh.nodes)) && (await isWhole(mesh.nodes, names))
  const seconds = await secondsUntil(since, isHealed, 60)
  scene.figure({ what: 'all know and hear all', seconds, boundSeconds: 5, lost: null, lostMax: null })
  await sleep(10_000)
  scene.traffic('every pair', since, await traffic.stop(), { seconds: 5, lost: null })
  mesh.nodes.forEach((node, index) => {
    compare(scene, node, before[index] as Measure)
  })
}

interface Measure {
  readonly pid: number | null
  readonly files: number
  readonly mebibytes: number
}

function measure(node: LabNode): Measure {
  const pid = node.pid()
  return { pid, files: readdirSync(`/proc/${pid}/fd`).length, mebibytes: node.memory().rss }
}

function compare(scene: Scene, node: LabNode, before: Measure): void {
  const after = measure(node)
  const text = ({ files, mebibytes }: Measure) => `${files} files, ${mebibytes.toFixed(0)} MiB`
  scene.say(`${node.name}: ${text(before)} before, ${text(after)} after`)
  if (after.pid !== before.pid) throw new Error(`lnetd on ${node.name} is another process than before`)
  if (after.files - before.files > filesMoreMax) throw new Error(`lnetd on ${node.name} leaks open files`)
  if (after.mebibytes - before.mebibytes > memoryMoreMebibytesMax)
    throw new Error(`lnetd on ${node.name} leaks memory`)
}
