import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { youngSeconds } from '../../../src/model/limits.ts'
import type { LabNode } from '../../lab/node.ts'
import type { Mesh } from '../mesh.ts'
import { type Scenario, type Scene, unixSeconds } from '../scene.ts'
import { type Pair, pairsOf } from '../traffic.ts'
import { secondsUntil } from '../until.ts'

/** Two machines with the same keys. */
export const cloneScenarios: readonly Scenario[] = [
  {
    name: 'cloned-disk',
    about:
      'a copy of a machine starts beside it: both say so, the copy gives way, no kernel goes back and forth',
    patient: true,
    run: async scene => {
      await cloned(scene, 40, grow)
    },
  },
  {
    name: 'cloned-disk-both-start',
    about: 'a machine and its copy start at the same time: the same, for one of the two',
    run: async scene => {
      await cloned(scene, 10, restart)
    },
  },
  {
    name: 'cloned-disk-keeper-dies',
    about: 'the machine that kept the identity loses its power: the other one takes over by itself',
    run: async scene => inherit(scene, await cloned(scene, 10, restart)),
  },
]

/** How it ended. */
interface Settled {
  readonly mesh: Mesh
  readonly keeper: LabNode
  readonly other: LabNode
  /** Whoever has the identity answers there. */
  readonly pairs: readonly Pair[]
}

/** Plans another node may apply, once it is settled, before it counts as back and forth. */
const plansMax = 2

/** `prepare` answers who has to keep the identity, null when either may. */
async function cloned(
  scene: Scene,
  watchedSeconds: number,
  prepare: (original: LabNode) => Promise<LabNode | null>,
): Promise<Settled> {
  const mesh = await scene.mesh(4, { spare: 1 })
  const [, bystander, original, copy] = mesh.nodes as [LabNode, LabNode, LabNode, LabNode]
  cpSync(join(original.directory, 'state'), join(copy.directory, 'state'), { recursive: true, force: true })
  copy.configuration = { ...copy.configuration, name: original.name }
  const expected = await prepare(original)
  const since = unixSeconds()
  copy.start()
  await Promise.all([original, copy].map(node => node.listening()))
  scene.say(`${copy.name} has the disk of ${original.name}, both run`)
  await Promise.all(
    [original, copy].map(async node => {
      const seconds = await secondsUntil(since, () => saysSo(node), 90)
      scene.figure({ what: `${node.name} says so`, seconds, boundSeconds: 10, lost: null, lostMax: null })
    }),
  )
  await watch(scene, watchedSeconds, bystander, pairsOf([bystander], [original], mesh.addresses))
  const keepers = [original, copy].filter(node => !hasYielded(node))
  scene.say(`the identity stays with ${keepers.map(({ name }) => name).join(' and ')}`)
  const [keeper] = keepers
  if (keeper === undefined || keepers.length > 1) throw new Error('not exactly one of the two gave way')
  if (expected !== null && keeper !== expected) throw new Error(`${expected.name} had to keep it`)
  for (const node of [original, copy])
    if (!(await saysSo(node))) throw new Error(`${node.name} does not say so any more`)
  const pairs = pairsOf([bystander], [original], mesh.addresses)
  return { mesh, keeper, other: keeper === original ? copy : original, pairs }
}

/** The other one finds nobody at the keeper's place any more. */
async function inherit(scene: Scene, { mesh, keeper, other, pairs }: Settled): Promise<void> {
  const traffic = scene.watch(pairs)
  await sleep(1000)
  const since = unixSeconds()
  await mesh.powerOff(keeper)
  scene.say(`${keeper.name} is without power`)
  const seconds = await secondsUntil(since, async () => !hasYielded(other), 90)
  scene.figure({ what: `${other.name} takes over`, seconds, boundSeconds: 30, lost: null, lostMax: null })
  await sleep(8000)
  scene.traffic('from another to it', since, await traffic.stop(), { seconds: 35, lost: null })
}

/** The address is the same on both machines: whoever keeps the identity answers. */
async function watch(
  scene: Scene,
  watchedSeconds: number,
  bystander: LabNode,
  pairs: readonly Pair[],
): Promise<void> {
  const since = unixSeconds()
  const traffic = scene.watch(pairs)
  await sleep(1000)
  const before = plansOf(bystander)
  await sleep(watchedSeconds * 1000)
  scene.traffic('from another to it', since, await traffic.stop(), { seconds: 5, lost: null })
  const plans = plansOf(bystander) - before
  scene.say(`${bystander.name} applied ${plans} plans in the ${watchedSeconds} s after that`)
  if (plans > plansMax) throw new Error(`${bystander.name} changes its kernel back and forth: ${plans} plans`)
}

/** Until it is no newcomer any more, and so keeps what it has. */
async function grow(original: LabNode): Promise<LabNode> {
  await sleep((youngSeconds + 1) * 1000)
  return original
}

/** At the same moment as its copy, which is then as old as it. */
async function restart(original: LabNode): Promise<null> {
  await original.stop()
  original.start()
  return null
}

/** In the log, in `status`, and by the exit code of `status --check`. */
async function saysSo(node: LabNode): Promise<boolean> {
  const isLogged = node
    .logs()
    .some(({ event, code }) => event === 'problem.raised' && code === 'identity-in-use')
  if (!isLogged) return false
  const { exitCode, stdout } = await node.lnetctl(['status', '--check', '--json'])
  return exitCode === 4 && stdout.includes('identity-in-use')
}

function hasYielded(node: LabNode): boolean {
  const last = node.logs().findLast(({ event }) => /^identity\.(yielded|resumed)$/.test(event as string))
  return last?.event === 'identity.yielded'
}

function plansOf(node: LabNode): number {
  return node.logs().filter(({ event }) => event === 'plan.applied').length
}
