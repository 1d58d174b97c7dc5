import { diff } from '../../../src/mesh/diff.ts'
import { order } from '../../../src/mesh/order.ts'
import { sentenceOf } from '../../../src/model/explanation.ts'
import { emptyKernelState } from '../../../src/model/kernel-state.ts'
import { desiredState } from '../../kernel/state.ts'
import { type RemoteKernel, startKernel } from '../../lab/kernel-remote.ts'
import { createNamespace, type Namespace } from '../../lab/namespace.ts'
import type { Act } from '../act.ts'
import { median } from '../figure.ts'

const memberCounts = [10, 100, 1000]
const looks = 5

export const reconcile: Act = {
  name: 'reconcile',
  about: 'a kernel that holds 10, 100, 1000 members: filled from nothing, and looked at when nothing changed',
  on: 'nothing',
  suits: ({ name }) => name === 'lnet',
  async play(stage) {
    for (const members of memberCounts) {
      const space = await createNamespace('reconcile')
      const note = (figure: string, value: number, unit: string) => stage.note(figure, value, unit, members)
      await measure(space, members, note)
      space.close()
    }
  },
}

async function measure(
  space: Namespace,
  members: number,
  note: (figure: string, value: number, unit: string) => void,
): Promise<void> {
  const kernel = startKernel(space)
  const desired = desiredState(members)
  const tunnel = desired.tunnel?.interface
  if (tunnel === undefined) throw new Error('nothing is desired')
  const failures = await kernel.apply(order(diff(desired, emptyKernelState), tunnel))
  if (failures.length > 0) throw new Error(failures[0]?.failure.what)
  note('reconcile, from nothing', kernel.milliseconds / 1000, 's')
  const seconds: number[] = []
  for (let turn = 0; turn < looks; turn += 1) {
    const { state, milliseconds } = await look(kernel)
    const began = performance.now()
    const plan = diff(desired, state)
    if (plan.length > 0) throw new Error(`the kernel of ${members} members needs ${plan.length} more steps`)
    seconds.push((milliseconds + performance.now() - began) / 1000)
  }
  note('reconcile, nothing to do', median(seconds), 's')
  await kernel.end()
  note('reconcile, processes', await countProcesses(space), '')
}

async function look(kernel: RemoteKernel) {
  const observed = await kernel.observe()
  if (!observed.ok) throw new Error(sentenceOf(observed.failure))
  return { state: observed.value.state, milliseconds: kernel.milliseconds }
}

/** Every tool leaves a line before it does its work. */
const counters = `mkdir /run/count && for tool in ip bridge wg nft; do
  printf '#!/bin/sh\\necho >>/run/count/log\\nexec %s "$@"\\n' "$(command -v $tool)" >/run/count/$tool
  chmod +x /run/count/$tool
done`

async function countProcesses(space: Namespace): Promise<number> {
  await space.must(['sh', '-c', counters])
  const kernel = startKernel(space, ['env', `PATH=/run/count:${process.env.PATH}`])
  // What the first look finds out about the kernel holds for all others.
  await look(kernel)
  await space.must(['sh', '-c', ': >/run/count/log'])
  await look(kernel)
  await kernel.end()
  return Number(await space.must(['sh', '-c', 'wc -l </run/count/log']))
}
