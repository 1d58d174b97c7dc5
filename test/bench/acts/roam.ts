import { setTimeout as sleep } from 'node:timers/promises'
import type { LabNode } from '../../lab/node.ts'
import type { Act, Stage } from '../act.ts'
import { type Net, nodeAt, oneTo } from '../contestant.ts'
import { median } from '../figure.ts'
import { reached } from '../reach.ts'

/** Who gives up is told so: the handshake timers of WireGuard are over by then. */
const roamSecondsMax = 60
const restSeconds = 5

export const roam: Act = {
  name: 'roam',
  about: 'a node gets other underlay addresses: until those who talk have answers again',
  on: 'mesh',
  spares: () => 0,
  suits: () => true,
  async play(stage, net) {
    const moved = stage.nodes
    const others = oneTo(stage.nodes - 1)
    const everybody = oneTo(stage.nodes)
    stage.note('roam, all talk', await move(stage, net, moved, everybody, everybody), 's')
    stage.note('roam, only others talk', await move(stage, net, moved, others, [moved]), 's')
  },
}

/** The median of several moves, each to addresses that were not used before. */
async function move(
  stage: Stage,
  net: Net,
  moved: number,
  from: readonly number[],
  to: readonly number[],
): Promise<number> {
  const seconds: number[] = []
  for (let turn = 0; turn < stage.repeat; turn += 1) {
    await sleep(restSeconds * 1000)
    const node = nodeAt(net, moved)
    if (!Number.isFinite(await reached(net, from, to, roamSecondsMax))) return Number.POSITIVE_INFINITY
    await readdress(node)
    seconds.push(await reached(net, from, to, roamSecondsMax))
  }
  return median(seconds)
}

let lastAddress = 100

/** Takes both addresses away and gives others of the same networks, in one breath, as a new lease does. */
async function readdress(node: LabNode): Promise<void> {
  lastAddress = lastAddress >= 250 ? 101 : lastAddress + 1
  const lines = [
    'address flush dev eth0 scope global',
    `address add 192.0.2.${lastAddress}/24 dev eth0`,
    `address add 2001:db8::${lastAddress.toString(16)}/64 dev eth0 nodad`,
    'route replace default via 192.0.2.254 dev eth0',
    'route replace default via 2001:db8::fe dev eth0',
  ]
  await node.namespace.must(['ip', '-batch', '-'], { input: lines.join('\n') })
}

export const death: Act = {
  name: 'death',
  about: 'a machine loses its power: until all the others show it down',
  on: 'mesh',
  spares: () => 0,
  suits: ({ name }) => name === 'lnet',
  async play(stage, net) {
    const dead = nodeAt(net, stage.nodes)
    const others = oneTo(stage.nodes - 1).map(index => nodeAt(net, index))
    dead.namespace.close()
    const began = performance.now()
    const seesDown = async (node: LabNode) => {
      const reply = await node.ask('peers')
      return reply.ok && reply.view.peers.some(({ name, state }) => name === dead.name && state === 'down')
    }
    for (const node of others) while (!(await seesDown(node))) await sleep(500)
    stage.note('dead node noticed by all', (performance.now() - began) / 1000, 's')
  },
}
