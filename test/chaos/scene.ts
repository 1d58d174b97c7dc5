import { cpSync, existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Lab } from '../lab/lab.ts'
import { describe, type Figure, holds } from './figure.ts'
import { formMesh, type Mesh, type MeshOptions } from './mesh.ts'
import { type Pair, type PairTraffic, type Traffic, watchTraffic } from './traffic.ts'

/** One fault and what becomes of it. Throws when something did not come about at all. */
export interface Scenario {
  readonly name: string
  readonly about: string
  /** It waits most of the time: others may play meanwhile. */
  readonly patient?: boolean
  /** It takes minutes, which only a guest's clock leaps over: it is played only where it is named. */
  readonly long?: boolean
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

export interface TrafficBounds {
  readonly seconds: number | null
  readonly lost: number | null
}

export function unixSeconds(): number {
  return Date.now() / 1000
}

/** A scene as seen by who has it played. */
export interface PlayedScene extends Scene {
  readonly figures: readonly Figure[]
  /** Takes away whatever the scenario left. */
  cleanup(): Promise<void>
}

/** What daemons logged goes to a directory in `logs`, if that is given. */
export function createScene(name: string, logs: string | null): PlayedScene {
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
