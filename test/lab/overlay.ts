import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { PeerRow } from '../../src/control/protocol.ts'
import { addressOf, familyOf } from '../../src/model/address.ts'
import { eventually } from './lab.ts'
import type { LabNode } from './node.ts'

/**
 * How many members a node sees up and floods to, which follows a first handshake a moment later; null when it cannot be
 * asked.
 */
export async function membersUp(node: LabNode): Promise<number | null> {
  const reply = await node.ask('peers')
  return reply.ok ? reply.view.peers.filter(isReached).length : null
}

function isReached({ state, segments }: PeerRow): boolean {
  return state === 'up' && segments.every(segment => segment.interface === null || segment.flood)
}

/** Until every node sees all the others up; tells each change of what a node sees. */
export async function allUp(
  nodes: readonly LabNode[],
  seconds = 60,
  changed: (node: LabNode, up: number) => void = () => undefined,
): Promise<void> {
  const seen = new Map<LabNode, number>()
  await eventually(
    `each of ${nodes.length} nodes sees the others up`,
    async () => {
      for (const [node, up] of await Promise.all(
        nodes.map(async node => [node, await membersUp(node)] as const),
      )) {
        if (up === null || seen.get(node) === up) continue
        seen.set(node, up)
        changed(node, up)
      }
      return nodes.every(node => seen.get(node) === nodes.length - 1) ? true : null
    },
    seconds,
  )
}

/** A node's own overlay addresses, without their prefix lengths. */
export async function overlayAddresses(node: LabNode): Promise<{ ipv4: string; ipv6: string }> {
  let answer: unknown = null
  const found = eventually(`${node.name} has overlay addresses of both families`, async () => {
    const reply = await node.ask('peers')
    answer = reply.ok ? reply.view.self : reply
    const addresses = reply.ok ? (reply.view.self?.segments.flatMap(segment => segment.addresses) ?? []) : []
    const [ipv4, ipv6] = ([4, 6] as const).map(family => addresses.find(a => familyOf(a) === family))
    return ipv4 !== undefined && ipv6 !== undefined ? { ipv4: addressOf(ipv4), ipv6: addressOf(ipv6) } : null
  })
  return found.catch((error: unknown) => {
    const log = readFileSync(join(node.directory, 'lnetd.log'), 'utf8').split('\n').slice(-20)
    throw new Error([(error as Error).message, JSON.stringify(answer), ...log].join('\n'))
  })
}

export async function pings(from: LabNode, address: string, seconds = 1): Promise<boolean> {
  return (await from.namespace.run(['ping', '-n', '-c1', `-W${seconds}`, address])).exitCode === 0
}

export interface Silence {
  readonly from: string
  readonly to: string
  readonly address: string
}

/**
 * Pings every ordered pair by both families, all of a node's at the same time, and no pair more than `tries` times:
 * one lost packet is no silence where packets may get lost. Answers those that failed.
 */
export async function silentPairs(nodes: readonly LabNode[], tries = 1): Promise<Silence[]> {
  const addresses = await Promise.all(nodes.map(overlayAddresses))
  const silences = await Promise.all(
    nodes.map(async from => {
      const others = nodes.flatMap((to, index) => {
        const { ipv4, ipv6 } = addresses[index] as { ipv4: string; ipv6: string }
        return to === from ? [] : [ipv4, ipv6].map(address => ({ to, address }))
      })
      const dead = new Set(
        await unanswered(
          from,
          others.map(({ address }) => address),
          tries,
        ),
      )
      return others
        .filter(({ address }) => dead.has(address))
        .map(({ to, address }) => ({ from: from.name, to: to.name, address }))
    }),
  )
  return silences.flat()
}

async function unanswered(from: LabNode, addresses: readonly string[], tries: number): Promise<string[]> {
  const script = `ask() { ping -n -c1 -W2 "$1" >/dev/null 2>&1; }
    tries=$1; shift
    persist() { for try in $(seq "$tries"); do ask "$1" && return; done; echo "$1"; }
    for a; do persist "$a" & done; wait`
  return (await from.namespace.must(['sh', '-c', script, 'sh', String(tries), ...addresses]))
    .split('\n')
    .filter(line => line !== '')
}
