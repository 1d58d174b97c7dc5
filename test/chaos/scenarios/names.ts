import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ConfigurationText, LabNode } from '../../lab/node.ts'
import { type Scenario, type Scene, unixSeconds } from '../scene.ts'
import { pairsOf } from '../traffic.ts'

/** Endpoints that are given by a name. */
export const nameScenarios: readonly Scenario[] = [
  {
    name: 'name-leads-elsewhere',
    about:
      'a node behind a forwarded port is found again when its name leads elsewhere, once its tunnel is down',
    patient: true,
    run: nameLeadsElsewhere,
  },
]

const name = 'n4.lnet.test'
/** A silent tunnel is called down after 40 s (receiveGrowthSecondsMax); then the name is asked, and what it says tried. */
const boundSeconds = 50

/**
 * Nothing leaves n4 that nobody asked for, as with a port that a router forwards: it can neither tell the others where it
 * is, nor roam. They have the name alone.
 */
async function nameLeadsElsewhere(scene: Scene): Promise<void> {
  const configure = (configuration: ConfigurationText, index: number) =>
    index === 4 ? { ...configuration, tunnel: { endpoints: [`${name}:51820`] } } : configuration
  const mesh = await scene.mesh(4, { configure, hosts: `192.0.2.4 ${name}` })
  const node = mesh.nodes[3] as LabNode
  const others = mesh.nodes.slice(0, 3)
  await node.namespace.must(['nft', '-f', '-'], { input: answersOnly })
  const pairs = [...pairsOf(others, [node], mesh.addresses), ...pairsOf([node], others, mesh.addresses)]
  const traffic = scene.watch(pairs)
  await sleep(1000)
  const since = unixSeconds()
  const lines = ['address flush dev eth0 scope global', 'address add 192.0.2.104/24 dev eth0']
  await node.namespace.must(['ip', '-batch', '-'], { input: lines.join('\n') })
  writeFileSync(join(mesh.lab.directory, 'hosts'), `192.0.2.104 ${name}\n`)
  scene.say(`n4 and its name are at another address, and n4 cannot say so`)
  await sleep((boundSeconds + 10) * 1000)
  scene.traffic('to and from it', since, await traffic.stop(), { seconds: boundSeconds, lost: null })
}

/** The addresses in the flows' keys make what worked before a new flow after the change. */
const answersOnly = `table inet router {
  chain answers {
    type filter hook output priority filter
    oifname eth0 meta l4proto { tcp, udp } ct state new drop
  }
}
`
