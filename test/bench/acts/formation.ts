import { setTimeout as sleep } from 'node:timers/promises'
import type { Act, Stage } from '../act.ts'
import { type Net, oneTo } from '../contestant.ts'
import { mean, median } from '../figure.ts'
import { daemonsOf, footprint, withTools } from '../footprint.ts'
import { reached } from '../reach.ts'

const formationSecondsMax = 120

/** How long before the others the first node starts, milliseconds. */
export type Lead = 0 | 1000

export const formation: Act = {
  name: 'formation',
  about: 'from the start of the last daemon until every pair answers',
  on: 'nothing',
  suits: () => true,
  async play(stage) {
    for (const lead of [0, 1000] as const) {
      const seconds: number[] = []
      const cpu: number[] = []
      for (let turn = 0; turn < stage.repeat; turn += 1) {
        const net = await stage.contestant.prepare(stage.nodes)
        seconds.push(await form(net, stage.nodes, lead))
        cpu.push(meanCpuSeconds(net, stage))
        net.lab.cleanup()
      }
      stage.note(`formation, ${lead === 0 ? 'all at once' : 'bootstrap 1 s earlier'}`, median(seconds), 's')
      if (lead === 0) stage.note('CPU of a daemon to form', median(cpu), 's')
    }
  },
}

/** Starts the first `nodes` machines. Answers the seconds from the start of all but the first until every pair answers. */
export async function form(net: Net, nodes: number, lead: Lead): Promise<number> {
  const all = oneTo(nodes)
  const start = (index: number) =>
    net.start(
      index,
      all.filter(other => other !== index),
    )
  start(1)
  if (lead > 0) await sleep(lead)
  const began = performance.now()
  for (const index of all.slice(1)) start(index)
  const after = (performance.now() - began) / 1000
  return after + (await reached(net, all, all, formationSecondsMax))
}

function meanCpuSeconds(net: Net, { nodes }: Stage): number {
  const spent = oneTo(nodes).map(index => {
    const daemons = daemonsOf(net, index, net.daemons)
    return footprint(withTools(net, index, daemons)).cpuSeconds
  })
  return mean(spent)
}
