import { setTimeout as sleep } from 'node:timers/promises'
import type { Act } from '../act.ts'
import { nodeAt, oneTo } from '../contestant.ts'
import { median } from '../figure.ts'
import { reached } from '../reach.ts'

const joinSecondsMax = 60

export const join: Act = {
  name: 'join',
  about: 'from the start of a new node until it reaches all the others',
  on: 'mesh',
  spares: ({ repeat }) => repeat,
  suits: () => true,
  async play(stage, net) {
    const seconds: number[] = []
    for (let turn = 1; turn <= stage.repeat; turn += 1) {
      await sleep(2000)
      const newcomer = stage.nodes + turn
      const others = oneTo(newcomer - 1)
      net.start(newcomer, others)
      seconds.push(await reached(net, [newcomer], others, joinSecondsMax))
    }
    stage.note('join', median(seconds), 's')
  },
}

export const restart: Act = {
  name: 'restart',
  about: 'the daemon ends and starts again: until its control socket answers, and what that costs in packets',
  on: 'mesh',
  spares: () => 0,
  suits: ({ name }) => name === 'lnet',
  async play(stage, net) {
    const node = nodeAt(net, 2)
    const seconds: number[] = []
    const pinged = node.namespace.run(['ping', '-n', '-q', '-i', '0.02', '-w', '15', '192.168.102.1'])
    for (let turn = 0; turn < stage.repeat; turn += 1) {
      await node.stop()
      const began = performance.now()
      node.start()
      await node.listening()
      seconds.push((performance.now() - began) / 1000)
      await sleep(1000)
    }
    const [, sent, answered] = /^(\d+) packets transmitted, (\d+) received/m.exec((await pinged).stdout) ?? []
    stage.note('restart', median(seconds), 's')
    stage.note('packets lost during restarts', Number(sent) - Number(answered), 'packets')
  },
}
