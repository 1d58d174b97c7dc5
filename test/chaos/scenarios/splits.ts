import { setTimeout as sleep } from 'node:timers/promises'
import type { ConfigurationText, LabNode } from '../../lab/node.ts'
import { overlayAddresses } from '../../lab/overlay.ts'
import type { Mesh } from '../mesh.ts'
import { type Scenario, type Scene, unixSeconds } from '../scene.ts'
import { pairsOf } from '../traffic.ts'
import { isWhole, rowsOf, secondsUntil } from '../until.ts'

/** The underlay falls apart into islands, and comes together again. */
export const splitScenarios: readonly Scenario[] = [
  {
    name: 'split-two',
    about: 'two islands for 10 s, with a join, a leave and a change: equal memberships within 5 s of the end',
    run: scene =>
      split(scene, 10, [
        [1, 2, 3],
        [4, 5, 6],
      ]),
  },
  {
    name: 'split-two-600s',
    about: 'the same for 10 min',
    long: true,
    run: scene =>
      split(scene, 600, [
        [1, 2, 3],
        [4, 5, 6],
      ]),
  },
  {
    name: 'split-three',
    about: 'three islands for 30 s, with the same',
    run: scene =>
      split(scene, 30, [
        [1, 2, 3],
        [4, 5],
        [6, 7],
      ]),
  },
]

/** For so long their traffic is watched after what changed in them: what shows till then. */
const insideSecondsMax = 60

const leaver = 'n3'
const renamed = 'n5'
const newName = 'n5-renamed'

/** `islands` by node number; the last one has no daemon before. */
async function split(scene: Scene, seconds: number, islands: readonly number[][]): Promise<void> {
  const bootstrap = islands.map(([first]) => `192.0.2.${first}`)
  const configure = (configuration: ConfigurationText, index: number) =>
    index === 1 ? configuration : { ...configuration, bootstrap }
  const mesh = await scene.mesh(islands.flat().length, { spare: 1, configure })
  const places = islands.map(numbers => numbers.map(number => mesh.nodes[number - 1] as LabNode))
  const staying = places.map(nodes => nodes.filter(({ name }) => mesh.addresses.has(name) && name !== leaver))
  for (const [index, nodes] of places.entries()) await plugInto(mesh, `br${index}`, nodes)
  const began = unixSeconds()
  scene.say(places.map(nodes => nodes.map(({ name }) => name).join(' ')).join(' | '))
  const inside = scene.watch(staying.flatMap(nodes => pairsOf(nodes, nodes, mesh.addresses)))
  await changeThings(scene, mesh)
  await sleep(Math.min(seconds, insideSecondsMax) * 1000)
  scene.traffic('within the islands', began, await inside.stop(), { seconds: null, lost: 0 })
  await sleep(Math.max(0, (began + seconds - unixSeconds()) * 1000))
  const across = scene.watch(pairsOf(staying[0] ?? [], staying.slice(1).flat(), mesh.addresses))
  await sleep(500)
  await plugInto(mesh, 'br0', places.flat())
  const since = unixSeconds()
  await together(scene, mesh, since)
  await sleep(2000)
  scene.traffic('across', since, await across.stop(), { seconds: 5, lost: null })
}

/** In one breath: the bridge is made where there is none yet. */
async function plugInto({ lab }: Mesh, bridge: string, nodes: readonly LabNode[]): Promise<void> {
  const lines = [
    ...(bridge === 'br0' ? [] : [`link add ${bridge} up type bridge`]),
    ...nodes.map(({ index }) => `link set p${index} master ${bridge}`),
  ]
  await lab.hub.must(['ip', '-batch', '-'], { input: lines.join('\n') })
}

async function changeThings(scene: Scene, { nodes }: Mesh): Promise<void> {
  const [leaving, changing] = [leaver, renamed].map(name => nodes.find(node => node.name === name)) as [
    LabNode,
    LabNode,
  ]
  const joining = nodes.at(-1) as LabNode
  joining.start()
  await leaving.lnetctl(['leave'])
  await changing.stop()
  changing.configuration = { ...changing.configuration, name: newName }
  changing.start()
  await Promise.all([changing, joining].map(node => node.listening()))
  scene.say(`${leaver} left, ${renamed} took another name, ${joining.name} joined`)
}

async function together(scene: Scene, mesh: Mesh, since: number): Promise<void> {
  scene.say('together again')
  const nodes = mesh.nodes.filter(({ name }) => name !== leaver)
  const names = nodes.map(({ name }) => (name === renamed ? newName : name))
  const equal = async () => (await isWhole(nodes, names)) && (await haveForgotten(nodes, leaver))
  const seconds = await secondsUntil(since, equal, 60)
  scene.figure({ what: 'all know the same', seconds, boundSeconds: 5, lost: null, lostMax: null })
  const addresses = await Promise.all(nodes.map(async node => (await overlayAddresses(node)).ipv4))
  if (new Set(addresses).size < nodes.length) throw new Error(`an address twice: ${addresses.join(' ')}`)
}

/** Shown as one that left, and sent nothing any more. */
async function haveForgotten(nodes: readonly LabNode[], left: string): Promise<boolean> {
  const rows = (await Promise.all(nodes.map(rowsOf))).map(some => some.find(({ name }) => name === left))
  return rows.every(row => row === undefined || row.state === 'left')
}
