import { cpSync, existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createLab, eventually, type Lab, type LabOptions } from '../lab/lab.ts'
import { connect, createNamespace } from '../lab/namespace.ts'
import { createNode, type LabNode } from '../lab/node.ts'
import { allUp, overlayAddresses, silentPairs } from '../lab/overlay.ts'
import { describe, type Figure, holds } from './figure.ts'
import { type Pair, type PairTraffic, type Traffic, watchTraffic } from './traffic.ts'

/** One fault and what becomes of it. Throws when something did not come about at all. */
export interface Scenario {
  readonly name: string
  readonly about: string
  run(scene: Scene): Promise<void>
}

/** Where a scenario plays: a mesh of its own, and a place for what it did and measured. */
export interface Scene {
  /** Makes machines, starts the daemons of all but the last `spare`, and waits until every pair answers. */
  mesh(nodes: number, options?: MeshOptions): Promise<Mesh>
  /** Pings until `stop`, or until the scene ends. */
  watch(pairs: readonly Pair[]): Traffic
  say(text: string): void
  figure(figure: Figure): void
  /** Figures of the whole of some traffic: how long after `since` (Unix seconds) it was whole again, and what was lost. */
  traffic(what: string, since: number, pairs: readonly PairTraffic[], bounds: TrafficBounds): void
}

export interface MeshOptions extends Pick<LabOptions, 'configure'> {
  /** How many of the last machines have no daemon yet. */
  readonly spare?: number
}

export interface TrafficBounds {
  readonly seconds: number | null
  readonly lost: number | null
}

export interface Mesh {
  readonly lab: Lab
  /** All machines, with those that were rebooted as they are now. */
  readonly nodes: LabNode[]
  /** By name, IPv4, of those that were formed. */
  readonly addresses: Map<string, string>
  /** Ends everything on a machine without a word, its network too. */
  powerOff(node: LabNode): Promise<void>
  /** The same machine again after `powerOff`, with nothing but its disk, its addresses and its MAC; no daemon yet. */
  powerOn(node: LabNode): Promise<LabNode>
  /** Something done to the switch's port of a node. */
  port(node: LabNode, change: string): Promise<void>
}

export function unixSeconds(): number {
  return Date.now() / 1000
}

/** Whatever a scenario leaves, `cleanup` takes away; what daemons logged goes to a directory in `logs`, if that is given. */
export function createScene(
  name: string,
  logs: string | null,
): Scene & { figures: Figure[]; cleanup(): Promise<void> } {
  const figures: Figure[] = []
  const ends: (() => unknown)[] = []
  const say = (text: string) => console.log(`${new Date().toISOString().slice(11, 23)}  ${name}  ${text}`)
  const figure = (figure: Figure) => {
    figures.push(figure)
    say(describe(figure))
  }
  return {
    figures,
    say,
    figure,
    mesh: (nodes, options = {}) => {
      const keep = (lab: Lab) => keepLogs(lab, logs, name)
      return formMesh(nodes, options, say, ends, keep)
    },
    watch(pairs) {
      const traffic = watchTraffic(pairs)
      ends.push(() => traffic.stop())
      return traffic
    },
    traffic(what, since, pairs, bounds) {
      const measured = trafficFigure(what, since, pairs, bounds)
      if (!holds(measured)) for (const pair of pairs) say(describePair(pair, since))
      figure(measured)
    },
    async cleanup() {
      for (const end of ends.splice(0).reverse()) await Promise.resolve().then(end)
    },
  }
}

function trafficFigure(
  what: string,
  since: number,
  pairs: readonly PairTraffic[],
  bounds: TrafficBounds,
): Figure {
  const never = pairs.filter(({ lastAnswerAt }) => lastAnswerAt === null)
  if (never.length > 0)
    throw new Error(`${what}: no answer at all for ${never.map(({ name }) => name).join(', ')}`)
  const healed = pairs.map(({ healedAt }) => (healedAt === null ? 0 : Math.max(0, healedAt - since)))
  return {
    what,
    seconds: Math.max(0, ...healed),
    boundSeconds: bounds.seconds,
    lost: Math.max(0, ...pairs.map(({ lost }) => lost)),
    lostMax: bounds.lost,
  }
}

function describePair({ name, sent, lost, gaps }: PairTraffic, since: number): string {
  const when = gaps.map(({ from, until, packets }) => {
    const [begin, end] = [from, until].map(at => (at === null ? 'never' : (at - since).toFixed(2)))
    return `${packets} from ${begin} to ${end} s`
  })
  return `${name}: ${lost} of ${sent} lost${when.length === 0 ? '' : `: ${when.slice(-10).join(', ')}`}`
}

function keepLogs(lab: Lab, logs: string | null, name: string): void {
  if (logs === null) return
  for (const node of lab.nodes) {
    const log = join(node.directory, 'lnetd.log')
    mkdirSync(join(logs, name), { recursive: true })
    if (existsSync(log)) cpSync(log, join(logs, name, `${node.name}.log`))
  }
}

async function formMesh(
  count: number,
  { spare = 0, ...options }: MeshOptions,
  say: Scene['say'],
  ends: (() => unknown)[],
  keep: (lab: Lab) => void,
): Promise<Mesh> {
  const lab = await createLab({ nodes: count, ...options })
  ends.push(
    () => lab.cleanup(),
    () => keep(lab),
  )
  const nodes = [...lab.nodes]
  const formed = nodes.slice(0, count - spare)
  for (const node of formed) node.start()
  await allUp(formed, 90)
  await eventually('every pair answers', async () => (await silentPairs(formed)).length === 0, 60)
  const addresses = new Map<string, string>()
  for (const node of formed) addresses.set(node.name, (await overlayAddresses(node)).ipv4)
  say(`a mesh of ${formed.length} stands, every pair answers`)
  return {
    lab,
    nodes,
    addresses,
    powerOff: node => powerOff(lab, node),
    powerOn: async node => {
      const again = await powerOn(lab, node, ends)
      nodes[node.index - 1] = again
      return again
    },
    port: async (node, change) => {
      await lab.hub.must(['ip', 'link', 'set', `p${node.index}`, ...change.split(' ')])
    },
  }
}

/** The pair of interfaces goes with the namespace, a moment after its last process. */
async function powerOff(lab: Lab, node: LabNode): Promise<void> {
  node.namespace.close()
  await eventually(
    `the port of ${node.name} is gone`,
    async () => (await lab.hub.run(['ip', 'link', 'show', `p${node.index}`])).exitCode !== 0,
    20,
  )
  await sleep(100)
}

async function powerOn(lab: Lab, node: LabNode, ends: (() => unknown)[]): Promise<LabNode> {
  const space = await createNamespace(node.name)
  ends.push(() => space.close())
  const link = {
    node: space,
    interface: 'eth0',
    addresses: [`${node.underlay.ipv4}/24`, `${node.underlay.ipv6}/64`],
    gateways: ['192.0.2.254', '2001:db8::fe'],
  }
  await connect(lab.hub, [link], node.index)
  return createNode(space, node.index, node.directory, node.underlay, node.configuration)
}
