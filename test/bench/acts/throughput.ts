import { setTimeout as sleep } from 'node:timers/promises'
import type { Act } from '../act.ts'
import { insideAddress, type Net, nodeAt } from '../contestant.ts'
import { median } from '../figure.ts'

const seconds = 5

export const throughput: Act = {
  name: 'throughput',
  about: 'one TCP stream inside, for some seconds, and the round trip on an idle network',
  on: 'mesh',
  spares: () => 0,
  suits: () => true,
  async play(stage, net) {
    const rates: number[] = []
    for (let turn = 0; turn < stage.repeat; turn += 1) rates.push(await stream(net))
    stage.note('throughput', median(rates), 'Mbit/s')
    const text = await nodeAt(net, 2).namespace.must([
      'ping',
      '-q',
      '-i',
      '0.01',
      '-c',
      '200',
      insideAddress(1),
    ])
    const mean = Number(/= [\d.]+\/([\d.]+)\//.exec(text)?.[1])
    stage.note('round trip', mean, 'ms')
  },
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
