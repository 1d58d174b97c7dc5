import { setTimeout as sleep } from 'node:timers/promises'
import type { Act, Stage } from '../act.ts'
import { insideAddress, type Net, nodeAt } from '../contestant.ts'
import { mean, median, shareOfFloor } from '../figure.ts'
import { fixed } from '../static.ts'
import { form } from './formation.ts'

const seconds = 2
/** One turn differs from the next by a tenth: so many leave about two per cent. */
const turnsMin = 30

export const throughput: Act = {
  name: 'throughput',
  about:
    'one TCP stream inside, in turns with one over a static network beside it, and the round trip when all is quiet',
  on: 'mesh',
  spares: () => 0,
  suits: () => true,
  async play(stage, net) {
    const floor = stage.contestant === fixed ? null : await fixed.prepare(stage.nodes)
    try {
      await race(stage, net, floor)
    } finally {
      floor?.lab.cleanup()
    }
    const text = await nodeAt(net, 2).namespace.must([
      'ping',
      '-q',
      '-i',
      '0.01',
      '-c',
      '200',
      insideAddress(1),
    ])
    const milliseconds = Number(/= [\d.]+\/([\d.]+)\//.exec(text)?.[1])
    stage.note('round trip', milliseconds, 'ms')
  },
}

/**
 * What a busy machine takes from one it takes from the other: only turns by turns show a difference of a few per cent,
 * and only when now one begins and now the other.
 */
async function race(stage: Stage, net: Net, floor: Net | null): Promise<void> {
  if (floor !== null) await form(floor, stage.nodes, 0)
  const rates: number[] = []
  const floorRates: number[] = []
  const courses = [{ net, rates }, ...(floor === null ? [] : [{ net: floor, rates: floorRates }])]
  for (let turn = 0; turn < Math.max(turnsMin, stage.repeat); turn += 1)
    for (const course of turn % 2 === 0 ? courses : courses.toReversed())
      course.rates.push(await stream(course.net))
  stage.note('throughput', median(rates), 'Mbit/s')
  if (floor !== null) stage.note(shareOfFloor, mean(rates) / mean(floorRates), '')
}

/** Megabits of payload a second from the second node to the first. */
async function stream(net: Net): Promise<number> {
  const address = insideAddress(1)
  const server = nodeAt(net, 1).namespace.run(['iperf3', '--server', '--one-off', '--bind', address])
  await sleep(500)
  const client = ['iperf3', '--client', address, '--time', String(seconds), '--json']
  const said = await nodeAt(net, 2).namespace.must(client)
  await server
  const { end } = JSON.parse(said) as { end: { sum_received: { bits_per_second: number } } }
  return end.sum_received.bits_per_second / 1e6
}
