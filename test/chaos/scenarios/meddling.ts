import { setTimeout as sleep } from 'node:timers/promises'
import { warmSyncedSeconds } from '../../../src/model/limits.ts'
import { eventually } from '../../lab/lab.ts'
import type { LabNode } from '../../lab/node.ts'
import { difference, kernelText } from '../kernel-text.ts'
import { type Scenario, type Scene, unixSeconds } from '../scene.ts'
import { rowOf, secondsUntil } from '../until.ts'
import { additions, changedDevices, deletedEntries, type Meddling, type Target } from './meddlings.ts'

/** Somebody changes what is lnet's. */
export const meddlingScenarios: readonly Scenario[] = [
  {
    name: 'meddling-entries',
    about: 'somebody deletes entries of the kernel one by one: each put right, and told as drift once',
    run: scene => meddleAll(scene, deletedEntries),
  },
  {
    name: 'meddling-devices',
    about: 'somebody deletes and changes devices: each put right, and told as drift once',
    run: scene => meddleAll(scene, changedDevices),
  },
  {
    name: 'meddling-additions',
    about: 'somebody adds entries of their own to our devices: each taken away, and told as drift once',
    run: scene => meddleAll(scene, additions),
  },
]

/** A daemon takes nothing for drift in its first seconds, in which it does not know the mesh yet. */
const coldSeconds = warmSyncedSeconds + 1

async function meddleAll(scene: Scene, meddlings: readonly Meddling[]): Promise<void> {
  const { nodes, addresses } = await scene.mesh(3)
  await sleep(coldSeconds * 1000)
  const [, node, other] = nodes as [LabNode, LabNode, LabNode]
  const { vtep, public_key: key, segments } = await rowOf(node, other)
  const mac = segments[0]?.mac as string
  const target = { vtep, key, mac, address: addresses.get(other.name) as string }
  for (const meddling of meddlings) await meddle(scene, node, meddling, target)
}

async function meddle(scene: Scene, node: LabNode, meddling: Meddling, target: Target): Promise<void> {
  const { what, command, boundSeconds, repair } = meddling
  await eventually(`nothing is left to do on ${node.name}`, () => isSettled(node), 30)
  // The daemon's own look comes to the same.
  await sleep(500)
  const before = await kernelText(node)
  const told = driftsOf(node).length
  const since = unixSeconds()
  await node.namespace.must(command(target).split(' '))
  // A guard is back before anybody can look: then the drift alone shows that it was gone.
  const isAltered = async () => (await kernelText(node)) !== before || driftsOf(node).length > told
  await eventually(`"${command(target)}" changes something`, isAltered, 5)
  let now = ''
  const isRight = async () => {
    now = await kernelText(node)
    return now === before
  }
  const seconds = await secondsUntil(since, isRight, 30)
  if (seconds > 30) for (const line of difference(before, now)) scene.say(line)
  scene.figure({ what, seconds, boundSeconds, lost: null, lostMax: null })
  await sleep(1500)
  const drifts = driftsOf(node).slice(told)
  const names = drifts.some(repairs => repairs.some(text => text.startsWith(repair)))
  if (drifts.length !== 1 || !names)
    throw new Error(`${what}: told as drift ${drifts.length} times: ${JSON.stringify(drifts).slice(0, 1000)}`)
}

async function isSettled(node: LabNode): Promise<boolean> {
  const plan = await node.ask('plan')
  return plan.ok && plan.view.steps.length === 0
}

function driftsOf(node: LabNode): readonly (readonly string[])[] {
  return node
    .logs()
    .filter(({ event }) => event === 'kernel.drift')
    .map(({ repairs }) => repairs as readonly string[])
}
