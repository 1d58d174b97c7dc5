import { createChance } from '../../sim/chance.ts'
import type { Figure } from '../figure.ts'
import { Crowd, type CrowdNode } from './crowd.ts'

/** Dials, topic and first exchanges are over by then. */
const restSeconds = 120
const idleSeconds = 1800
const splitSeconds = 600
const limitSeconds = 120
/** Above, a tenth restarts at once: each of them tells everybody a word. */
const allRestartMax = 1000

/** What gossip costs and how soon it has told everybody, in a mesh of that size in virtual time. */
export function simulate(size: number, seed: number, note: (figure: Figure) => void): void {
  const say = (figure: string, value: number, unit: string) =>
    note({ figure: `simulated: ${figure}`, contestant: 'lnet', nodes: size, value, unit })
  const crowd = new Crowd(size, seed)
  crowd.run(restSeconds)
  idle(crowd, say)
  join(crowd, say)
  split(crowd, say)
  restart(crowd, seed, say)
}

type Say = (figure: string, value: number, unit: string) => void

function idle(crowd: Crowd, say: Say): void {
  const { messages, bytes } = crowd.traffic(() => crowd.run(idleSeconds))
  say('idle, gossip', bytes / idleSeconds, 'B/s')
  say('idle, messages', messages / idleSeconds, '1/s')
}

function join(crowd: Crowd, say: Say): void {
  const newcomer = crowd.newcomer()
  const others = crowd.nodes.slice(0, -1)
  const start = crowd.time.now()
  const after = (isSo: () => boolean) => {
    crowd.until(limitSeconds, isSo)
    return isSo() ? (crowd.time.now() - start) / 1000 : Number.POSITIVE_INFINITY
  }
  const { bytes } = crowd.traffic(() => {
    newcomer.start([(others[0] as CrowdNode).id])
    const knows = () => others.filter(({ known }) => known.version(newcomer.number) > 1).length
    say(
      'join, known to 99 %',
      after(() => knows() >= 0.99 * others.length),
      's',
    )
    say(
      'join, known to all',
      after(() => knows() === others.length),
      's',
    )
    say(
      'join, knows all',
      after(() => newcomer.known.count === crowd.nodes.length),
      's',
    )
  })
  say('join, cost', bytes / 1024, 'KiB')
}

/** On each side somebody joins meanwhile. */
function split(crowd: Crowd, say: Say): void {
  const half = Math.floor(crowd.nodes.length / 2)
  const left = crowd.newcomer()
  const right = crowd.newcomer()
  const ids = crowd.nodes.slice(0, -2).map(({ id }) => id)
  crowd.network.partition([
    [...ids.slice(0, half), left.id],
    [...ids.slice(half), right.id],
  ])
  left.start(ids.slice(0, 1))
  right.start(ids.slice(-1))
  crowd.run(splitSeconds)
  const { bytes } = crowd.traffic(() => {
    crowd.network.heal()
    say('split of 10 min, equal again', untilKnown(crowd), 's')
  })
  say('split of 10 min, cost', bytes / 1024, 'KiB')
}

function restart(crowd: Crowd, seed: number, say: Say): void {
  const chance = createChance(`restart ${seed}`)
  const all = crowd.nodes.length <= 1.1 * allRestartMax
  const some = all ? crowd.nodes : crowd.nodes.filter(() => chance.next() < 0.1)
  const figure = `restart of ${all ? 'all' : 'a tenth'}`
  const { bytes } = crowd.traffic(() => {
    for (const node of some) node.stop()
    crowd.run(1)
    const before = some.map(({ number, known }) => known.version(number))
    for (const node of some) node.start([])
    const haveSpoken = () =>
      some.every(({ number, known }, index) => known.version(number) > (before[index] ?? 0))
    const spoken = crowd.until(limitSeconds, haveSpoken)
    say(`${figure}, equal again`, spoken + untilKnown(crowd), 's')
  })
  say(`${figure}, cost`, bytes / 1024, 'KiB')
}

/** Until everybody knows what anybody knows now. */
function untilKnown(crowd: Crowd): number {
  const union = (crowd.nodes[0] as CrowdNode).known.copy()
  for (const { number, known } of crowd.nodes) union.take(number, known.version(number))
  let done = 0
  return crowd.until(limitSeconds, () => {
    while (done < crowd.nodes.length && crowd.nodes[done]?.known.covers(union)) done += 1
    return done === crowd.nodes.length
  })
}
