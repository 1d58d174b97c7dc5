import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createLab, eventually, type Lab } from '../lab/lab.ts'
import type { LabNode } from '../lab/node.ts'
import { allUp, silentPairs } from '../lab/overlay.ts'
import { node24, root } from '../lab/root.ts'
import { createChance } from '../sim/chance.ts'
import { endings, nuisances } from './faults.ts'
import { soakOptions } from './soak-options.ts'

/** A mesh through many hours of its guest's clock, a fault every few minutes. */
const { nodes: count, hours, seed } = soakOptions(process.env)
const warmHours = Math.min(1, hours / 4)
const betweenSeconds = { min: 60, max: 300 }
/**
 * Heap that grows without end grows by more than that; what a working set varies by is less. Compiled code is told, and
 * not counted: V8 goes on compiling what turns out to be used often, for hours where hardly anything happens, and an end
 * of that is an end of the program's text.
 */
const growthMax = 0.05
/** Of the guest's clock, by which vitest counts too; faults last beyond the hours. */
const longer = { timeout: (hours + 2) * 3_600_000, retry: 0 }

const chance = createChance(seed)
let lab: Lab
let nodes: readonly LabNode[]
/** These see everything but an end of their own daemon: their heap tells of all the hours. */
let elders: readonly LabNode[]
/** How many were done so far. */
let faults = 0

beforeAll(async () => {
  console.log(`soak: ${count} nodes, ${hours} h, seed ${seed}`)
  lab = await createLab({ nodes: count })
  nodes = lab.nodes
  elders = nodes.filter(({ index }) => index % 2 === 1)
  for (const node of nodes) node.start()
  await whole('at first')
})
afterAll(() => lab.cleanup())

it(`heals from every fault for ${hours} hours, and grows no heap`, longer, async () => {
  const pids = elders.map(node => node.pid())
  await suffer(warmHours)
  const before = await heaps()
  let after = before
  for (let past = warmHours; past < hours; past += 1) {
    await suffer(Math.min(1, hours - past))
    await whole(`after ${faults} faults`)
    after = await heaps()
    console.log(elders.map((node, index) => growthLine(node, before[index], after[index])).join('\n'))
  }
  expect(elders.map(node => node.pid())).toEqual(pids)
  elders.forEach((node, index) => {
    expect(growth(before[index], after[index]), `${node.name}'s heap grew`).toBeLessThanOrEqual(growthMax)
  })
})

it('leaves nothing to do, and nothing degraded', async () => {
  for (const node of nodes) {
    await eventually(`${node.name} is well`, async () => {
      return (await node.lnetctl(['status', '--check'])).exitCode === 0
    })
    await eventually(`${node.name} has nothing to do`, async () => {
      const reply = await node.ask('plan')
      return reply.ok && reply.view.steps.length === 0
    })
  }
})

async function suffer(hours: number): Promise<void> {
  const end = performance.now() + hours * 3_600_000
  while (performance.now() < end) {
    const node = chance.pick(nodes)
    const fault = chance.pick(elders.includes(node) ? nuisances : [...endings, ...nuisances])
    faults += 1
    await fault.happen({ lab, node, chance: chance.fork(`${faults}`) })
    if (faults % 5 === 0) await whole(`after ${fault.name} on ${node.name}`)
    await sleep(1000 * chance.between(betweenSeconds.min, betweenSeconds.max))
  }
}

async function whole(when: string): Promise<void> {
  const began = performance.now()
  await allUp(nodes, 120)
  await eventually(`every pair answers ${when}`, async () => (await silentPairs(nodes)).length === 0, 120)
  console.log(`${clock()}  whole ${when}, within ${((performance.now() - began) / 1000).toFixed(1)} s`)
}

/** Bytes. */
interface Heap {
  readonly data: number
  readonly code: number
}

async function heaps(): Promise<Heap[]> {
  const found: Heap[] = []
  for (const node of elders) {
    process.kill(node.pid() as number, 'SIGUSR1')
    const answer = await node.namespace.must([node24, join(root, 'test/uml/heap.ts')])
    const [all, code] = answer.trim().split(' ').map(Number) as [number, number]
    found.push({ data: all - code, code })
  }
  const text = found.map(({ data, code }) => `${mebibytes(data)} + ${mebibytes(code)}`)
  console.log(`${clock()}  heaps, data and code: ${text.join(', ')} MiB`)
  return found
}

function growthLine(node: LabNode, before: Heap | undefined, after: Heap | undefined): string {
  const percent = (100 * growth(before, after)).toFixed(1)
  return `${clock()}  ${node.name}: data ${mebibytes(before?.data)} -> ${mebibytes(after?.data)} MiB, ${percent} %`
}

function growth(before: Heap | undefined, after: Heap | undefined): number {
  return (after?.data ?? Number.NaN) / (before?.data ?? Number.NaN) - 1
}

function mebibytes(bytes = Number.NaN): string {
  return (bytes / 2 ** 20).toFixed(2)
}

/** Of the guest, since it started. */
function clock(): string {
  const seconds = performance.now() / 1000
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds / 60) % 60)} min`
}
