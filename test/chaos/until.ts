import { setTimeout as sleep } from 'node:timers/promises'
import type { PeerRow, StatusView } from '../../src/control/protocol.ts'
import type { LabNode } from '../lab/node.ts'
import { unixSeconds } from './scene.ts'

/** Seconds after `since` (Unix seconds) until the answer is yes; infinite when it is not within so many. */
export async function secondsUntil(
  since: number,
  question: () => Promise<boolean>,
  patienceSeconds: number,
): Promise<number> {
  for (;;) {
    if (await question()) return unixSeconds() - since
    if (unixSeconds() - since > patienceSeconds) return Number.POSITIVE_INFINITY
    await sleep(50)
  }
}

/** What a node knows of the others; nothing while it does not answer. */
export async function rowsOf(node: LabNode): Promise<readonly PeerRow[]> {
  const reply = await node.ask('peers')
  return reply.ok ? reply.view.peers : []
}

export async function rowOf(node: LabNode, member: LabNode): Promise<PeerRow> {
  const row = (await rowsOf(node)).find(({ name }) => name === member.name)
  if (row === undefined) throw new Error(`${node.name} does not know ${member.name}`)
  return row
}

export async function statusOf(node: LabNode): Promise<StatusView | null> {
  const reply = await node.ask('status')
  return reply.ok ? reply.view : null
}

/** Every node shows exactly the others of `names`, up and heard. */
export async function isWhole(nodes: readonly LabNode[], names: readonly string[]): Promise<boolean> {
  const answers = await Promise.all(nodes.map(async node => ({ node, rows: await rowsOf(node) })))
  return answers.every(({ node, rows }) => {
    const whole = rows.filter(({ state, gossip }) => state === 'up' && gossip === 'live')
    const seen = whole.map(({ name }) => name).sort()
    return seen.join() === names.filter(name => name !== node.configuration.name).join()
  })
}

/** Nobody is without neighbours. */
export async function haveNeighbours(nodes: readonly LabNode[]): Promise<boolean> {
  const answers = await Promise.all(nodes.map(statusOf))
  return answers.every(status => status !== null && status.neighbours.length > 0)
}
