import { setTimeout as sleep } from 'node:timers/promises'
import type { PeerRow } from '../../../src/control/protocol.ts'
import type { LabNode } from '../../lab/node.ts'
import { type Scenario, type Scene, unixSeconds } from '../scene.ts'

/** A node goes without a word, or with one. */
export const deathScenarios: readonly Scenario[] = [
  {
    name: 'dead-node-shown',
    about: 'a node loses its power: every other shows it down and silent, with a reason, within 60 s',
    run: deadNode,
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
      const seconds = await untilRow(node, dead.name, isShown, since)
      scene.figure({ what: `shown by ${node.name}`, seconds, boundSeconds: 60, lost: null, lostMax: null })
    }),
  )
}

/** Seconds after `since` until a node's row of a member is as wanted; an error with the row after 90 s. */
async function untilRow(
  node: LabNode,
  member: string,
  isWanted: (row: PeerRow) => boolean,
  since: number,
): Promise<number> {
  for (;;) {
    const reply = await node.ask('peers')
    const row = reply.ok ? reply.view.peers.find(({ name }) => name === member) : undefined
    const seconds = unixSeconds() - since
    if (row !== undefined && isWanted(row)) return seconds
    if (seconds > 90)
      throw new Error(
        `${node.name} shows ${member} as ${row?.state}, ${row?.gossip}, because ${row?.reason} after ${seconds.toFixed(0)} s`,
      )
    await sleep(250)
  }
}
