import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../../lab/lab.ts'
import type { LabNode } from '../../lab/node.ts'
import { type Scenario, type Scene, unixSeconds } from '../scene.ts'

/** Two machines with the same keys. */
export const cloneScenarios: readonly Scenario[] = [
  {
    name: 'cloned-disk',
    about: 'two machines have the same keys: both say so within 60 s, no kernel is changed back and forth',
    run: cloned,
  },
]

const watchedSeconds = 60
/** Plans another node may apply in the watched minute before it counts as back and forth. */
const plansMax = 4

async function cloned(scene: Scene): Promise<void> {
  const { nodes } = await scene.mesh(4, { spare: 1 })
  const [bystander, , original, clone] = nodes as [LabNode, LabNode, LabNode, LabNode]
  await original.stop()
  cpSync(join(original.directory, 'state'), join(clone.directory, 'state'), { recursive: true, force: true })
  clone.configuration = { ...clone.configuration, name: original.name }
  const since = unixSeconds()
  for (const node of [original, clone]) node.start()
  await Promise.all([original, clone].map(node => node.listening()))
  scene.say(`${clone.name} has the disk of ${original.name}, both run`)
  await Promise.all(
    [original, clone].map(async node => {
      await eventually(`${node.name} says that its identity is in use`, () => saysSo(node), 90)
      const seconds = unixSeconds() - since
      scene.figure({ what: `${node.name} says so`, seconds, boundSeconds: 60, lost: null, lostMax: null })
    }),
  )
  const before = plansOf(bystander)
  await sleep(watchedSeconds * 1000)
  const plans = plansOf(bystander) - before
  scene.say(`${bystander.name} applied ${plans} plans in the ${watchedSeconds} s after that`)
  if (plans > plansMax) throw new Error(`${bystander.name} changes its kernel back and forth: ${plans} plans`)
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

function plansOf(node: LabNode): number {
  return node.logs().filter(({ event }) => event === 'plan.applied').length
}
