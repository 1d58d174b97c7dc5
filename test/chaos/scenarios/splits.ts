import { setTimeout as sleep } from 'node:timers/promises'
import type { ConfigurationText, LabNode } from '../../lab/node.ts'
import { overlayAddresses } from '../../lab/overlay.ts'
import { type Mesh, type Scenario, type Scene, unixSeconds } from '../scene.ts'
import { pairsOf } from '../traffic.ts'
import { isWhole, rowsOf, secondsUntil } from '../until.ts'

/** The underlay falls apart into two islands, and comes together again. */
export const splitScenarios: readonly Scenario[] = [
  {
    name: 'split-10s',
    about: 'two islands for 10 s, with a join, a leave and a change: equal memberships within 5 s of the end',
    run: scene => split(scene, 10),
  },
  {
    name: 'split-60s',
    about: 'the same for 60 s',
    run: scene => split(scene, 60),
  },
]

/** What everyone knows in the end: n3 left on one side, n6 joined and n5 took another name on the other. */
const namesAfter = ['n1', 'n2', 'n4', 'n5-renamed', 'n6']

async function split(scene: Scene, seconds: number): Promise<void> {
  const configure = (configuration: ConfigurationText, index: number) =>
    index === 1 ? configuration : { ...configuration, bootstrap: ['192.0.2.1', '192.0.2.4'] }
  const mesh = await scene.mesh(6, { spare: 1, configure })
  const [n1, n2, n3, n4, n5, n6] = mesh.nodes as [LabNode, LabNode, LabNode, LabNode, LabNode, LabNode]
  const inside = scene.watch([
    ...pairsOf([n1, n2], [n1, n2], mesh.addresses),
    ...pairsOf([n4, n5], [n4, n5], mesh.addresses),
  ])
  const across = scene.watch(pairsOf([n1, n2], [n4, n5], mesh.addresses))
  await sleep(500)
  const began = unixSeconds()
  await mesh.lab.hub.must(['ip', 'link', 'add', 'br1', 'up', 'type', 'bridge'])
  await Promise.all([n4, n5, n6].map(node => mesh.port(node, 'master br1')))
  scene.say('n1 n2 n3 | n4 n5 n6')
  await changeBothSides(scene, n3, n5, n6)
  await sleep(Math.max(0, (began + seconds - unixSeconds()) * 1000))
  await Promise.all([n4, n5, n6].map(node => mesh.port(node, 'master br0')))
  await together(scene, mesh, unixSeconds())
  await sleep(1000)
  scene.traffic('within the islands', began, await inside.stop(), { seconds: null, lost: 0 })
  scene.traffic('across', began + seconds, await across.stop(), { seconds: 5, lost: null })
}

async function changeBothSides(scene: Scene, leaving: LabNode, renamed: LabNode, joining: LabNode) {
  joining.start()
  await leaving.lnetctl(['leave'])
  await renamed.stop()
  renamed.configuration = { ...renamed.configuration, name: 'n5-renamed' }
  renamed.start()
  await Promise.all([renamed, joining].map(node => node.listening()))
  scene.say('n3 left, n5 took another name, n6 joined')
}

async function together(scene: Scene, mesh: Mesh, since: number): Promise<void> {
  scene.say('together again')
  const nodes = mesh.nodes.filter(({ name }) => name !== 'n3')
  const equal = async () => (await isWhole(nodes, namesAfter)) && (await haveForgotten(nodes, 'n3'))
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
