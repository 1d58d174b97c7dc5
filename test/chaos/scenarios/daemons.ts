import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { LabNode } from '../../lab/node.ts'
import { allUp } from '../../lab/overlay.ts'
import { type Scenario, type Scene, unixSeconds } from '../scene.ts'
import { pairsOf } from '../traffic.ts'
import { haveNeighbours, isWhole, secondsUntil } from '../until.ts'

/** lnetd and wireguard-go die in every way; the machines stay. */
export const daemonScenarios: readonly Scenario[] = [
  {
    name: 'daemon-killed',
    about: 'lnetd dies by kill -9 on one node and comes back: no packet lost',
    run: scene => restart(scene, 'SIGKILL', nodes => nodes.slice(1, 2)),
  },
  {
    name: 'daemon-restarted',
    about: 'lnetd is stopped on one node and started again: no packet lost',
    run: scene => restart(scene, 'SIGTERM', nodes => nodes.slice(1, 2)),
  },
  {
    name: 'daemon-all-killed',
    about: 'lnetd dies by kill -9 on all nodes at once, all come back: no packet lost',
    run: scene => restart(scene, 'SIGKILL', nodes => nodes),
  },
  {
    name: 'daemon-all-restarted',
    about: 'lnetd is stopped on all nodes at once and started again: no packet lost',
    run: scene => restart(scene, 'SIGTERM', nodes => nodes),
  },
  {
    name: 'daemons-stopped',
    about: 'lnetd is stopped on all nodes and stays away: no packet lost in 15 s',
    run: stopped,
  },
  {
    name: 'daemon-frozen',
    about: 'lnetd is frozen by SIGSTOP for 45 s: no packet lost, all as before within 5 s of its waking',
    patient: true,
    run: scene => frozen(scene, frozenSeconds),
  },
  {
    name: 'daemon-frozen-600s',
    about: 'the same for 10 min; the packets of the last minute and after are counted',
    long: true,
    run: scene => frozen(scene, 600),
  },
  {
    name: 'machine-suspended',
    about: 'lnetd and wireguard-go are frozen for 45 s, as in a suspended laptop: traffic back within 1 s',
    patient: true,
    run: suspended,
  },
  {
    name: 'wireguard-go-dies',
    about: 'wireguard-go dies by kill -9: tunnel and segment are made again, traffic back within 2 s',
    run: wireguardDies,
  },
]

async function restart(
  scene: Scene,
  signal: NodeJS.Signals,
  choose: (nodes: readonly LabNode[]) => readonly LabNode[],
): Promise<void> {
  const { nodes, addresses } = await scene.mesh(4)
  const chosen = choose(nodes)
  const traffic = scene.watch(pairsOf(nodes, nodes, addresses))
  await sleep(1000)
  const since = unixSeconds()
  await Promise.all(chosen.map(node => node.stop(signal)))
  scene.say(`${signal} to lnetd on ${chosen.map(({ name }) => name).join(', ')}`)
  await sleep(2000)
  for (const node of chosen) node.start()
  await Promise.all(chosen.map(node => node.listening()))
  await allUp(nodes)
  await sleep(3000)
  scene.traffic('every pair', since, await traffic.stop(), { seconds: null, lost: 0 })
}

async function stopped(scene: Scene): Promise<void> {
  const { nodes, addresses } = await scene.mesh(4)
  const traffic = scene.watch(pairsOf(nodes, nodes, addresses))
  await sleep(1000)
  const since = unixSeconds()
  await Promise.all(nodes.map(node => node.stop()))
  scene.say('no lnetd runs')
  await sleep(15_000)
  scene.traffic('every pair', since, await traffic.stop(), { seconds: null, lost: 0 })
}

/** Longer than a silent tunnel counts as up, so that the others have given it up. */
const frozenSeconds = 45

async function frozen(scene: Scene, seconds: number): Promise<void> {
  const { nodes, addresses } = await scene.mesh(4)
  const node = nodes[1] as LabNode
  freeze(node)
  scene.say(`lnetd on ${node.name} is frozen`)
  const watched = Math.min(seconds, 60)
  await sleep((seconds - watched) * 1000)
  const traffic = scene.watch(pairsOf(nodes, nodes, addresses))
  const since = unixSeconds()
  await sleep(watched * 1000)
  thaw(node)
  const woke = unixSeconds()
  const names = nodes.map(({ name }) => name)
  const isHealed = async () => (await haveNeighbours(nodes)) && (await isWhole(nodes, names))
  const healed = await secondsUntil(woke, isHealed, 60)
  scene.figure({ what: 'all know and hear all', seconds: healed, boundSeconds: 5, lost: null, lostMax: null })
  await sleep(5000)
  scene.traffic('every pair', since, await traffic.stop(), { seconds: null, lost: 0 })
}

async function suspended(scene: Scene): Promise<void> {
  const { nodes, addresses } = await scene.mesh(4)
  const node = nodes[1] as LabNode
  const others = nodes.filter(other => other !== node)
  const wireguard = (await node.namespace.run(['pidof', 'wireguard-go'])).stdout.trim()
  const signal = async (name: 'STOP' | 'CONT') => {
    if (wireguard !== '') await node.namespace.must(['kill', `-${name}`, wireguard])
  }
  const traffic = scene.watch([...pairsOf([node], others, addresses), ...pairsOf(others, [node], addresses)])
  freeze(node)
  await signal('STOP')
  scene.say(`${node.name} is suspended`)
  await sleep(frozenSeconds * 1000)
  await signal('CONT')
  thaw(node)
  const since = unixSeconds()
  scene.say('and awake again')
  await sleep(8000)
  scene.traffic('to and from it', since, await traffic.stop(), { seconds: 1, lost: null })
}

function freeze(node: LabNode): void {
  process.kill(node.pid() as number, 'SIGSTOP')
}

/** nsenter stops itself when its child is stopped, and would wait for ever. */
function thaw(node: LabNode): void {
  const pid = node.pid() as number
  const parent = /^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  for (const stopped of [pid, Number(parent)]) process.kill(stopped, 'SIGCONT')
}

async function wireguardDies(scene: Scene): Promise<void> {
  const { nodes, addresses } = await scene.mesh(4)
  const node = nodes[1] as LabNode
  const others = nodes.filter(other => other !== node)
  const { stdout: pid } = await node.namespace.run(['pidof', 'wireguard-go'])
  if (pid.trim() === '') {
    scene.say('WireGuard is in this kernel: there is no wireguard-go to die')
    scene.figure({ what: 'no wireguard-go here', seconds: 0, boundSeconds: 2, lost: 0, lostMax: null })
    return
  }
  const traffic = scene.watch([...pairsOf([node], others, addresses), ...pairsOf(others, [node], addresses)])
  await sleep(1000)
  const since = unixSeconds()
  // As numbered inside its own process namespace.
  await node.namespace.must(['kill', '-9', pid.trim()])
  scene.say(`kill -9 of wireguard-go on ${node.name}`)
  await sleep(12_000)
  scene.traffic('to and from it', since, await traffic.stop(), { seconds: 2, lost: null })
}
