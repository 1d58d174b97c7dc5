import { setTimeout as sleep } from 'node:timers/promises'
import type { Act } from '../act.ts'
import { nodeAt, oneTo } from '../contestant.ts'
import { median } from '../figure.ts'
import { daemonsOf, footprint, withTools } from '../footprint.ts'
import { classes, countWire, readWire } from '../wire.ts'

/** Surplus connections have ended by then, and of ten nodes none has spoken its first heartbeat. */
const settleSeconds = 130

export const idle: Act = {
  name: 'idle',
  about: 'bytes, memory and CPU while nobody does anything',
  on: 'mesh',
  spares: () => 0,
  suits: () => true,
  async play(stage, net) {
    const indexes = oneTo(stage.nodes)
    await sleep(settleSeconds * 1000)
    const cpu = () =>
      indexes.map(index => footprint(withTools(net, index, daemonsOf(net, index, net.daemons))).cpuSeconds)
    const before = cpu()
    const began = performance.now()
    await countWire(net)
    await sleep(stage.idleSeconds * 1000)
    const wire = await readWire(net)
    const seconds = (performance.now() - began) / 1000
    const after = cpu()
    const total = classes.reduce((sum, name) => sum + wire[name], 0)
    const perNode = (bytes: number) => bytes / stage.nodes / seconds
    stage.note('idle, all traffic', perNode(total), 'B/s')
    for (const name of classes) if (wire[name] > 0) stage.note(`idle, ${name}`, perNode(wire[name]), 'B/s')
    if (net.daemons.length === 0) return
    const spent = indexes.map((_, at) => (((after[at] ?? 0) - (before[at] ?? 0)) * 60) / seconds)
    const memory = indexes.map(index => footprint(daemonsOf(net, index, net.daemons)))
    stage.note('CPU, idle', median(spent), 's/min')
    stage.note('memory, resident', median(memory.map(({ rssMebibytes }) => rssMebibytes)), 'MiB')
    stage.note('memory, proportional', median(memory.map(({ pssMebibytes }) => pssMebibytes)), 'MiB')
  },
}

export const questions: Act = {
  name: 'questions',
  about: 'lnetctl peers, the whole process',
  on: 'mesh',
  spares: () => 0,
  suits: ({ name }) => name === 'lnet',
  async play(stage, net) {
    const node = nodeAt(net, 2)
    const milliseconds: number[] = []
    for (let turn = 0; turn < 7 * stage.repeat; turn += 1) {
      const began = performance.now()
      const { exitCode, stderr } = await node.lnetctl(['peers'])
      if (exitCode !== 0) throw new Error(`lnetctl peers: ${stderr}`)
      milliseconds.push(performance.now() - began)
    }
    stage.note('lnetctl peers', median(milliseconds), 'ms')
  },
}
