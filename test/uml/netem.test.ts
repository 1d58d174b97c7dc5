import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createLab, eventually, type Lab } from '../lab/lab.ts'
import type { LabNode } from '../lab/node.ts'
import { allUp, overlayAddresses, silentPairs } from '../lab/overlay.ts'

/**
 * Bad weather on the way to every node, by the guest's clock: while nothing runs it leaps, and what runs takes no time
 * at all, so that what is measured is the protocol alone. `round` is the round trip in ms and `lost` the share of
 * answers lost that the weather alone explains, both with room to spare.
 */
const weathers = [
  { weather: 'delay 80ms', round: 200, lost: 0 },
  { weather: 'loss 10%', round: 100, lost: 0.35 },
  { weather: 'delay 40ms 10ms reorder 25% 50%', round: 150, lost: 0 },
  { weather: 'delay 80ms 20ms loss 10% reorder 25% 50%', round: 300, lost: 0.35 },
] as const
/** A ping that a tenth of packets each way cannot make fail for all pairs at once. */
const tries = 8

describe.each(weathers)('under $weather', ({ weather, round, lost }) => {
  let lab: Lab
  let nodes: readonly LabNode[]

  beforeAll(async () => {
    lab = await createLab({ nodes: 4 })
    nodes = lab.nodes
    for (const node of nodes)
      await lab.hub.must(['tc', 'qdisc', 'add', 'dev', port(node), 'root', 'netem', ...weather.split(' ')])
  })
  afterAll(() => lab.cleanup())

  it('a mesh forms', async () => {
    const seconds = await took(async () => {
      for (const node of nodes) node.start()
      await whole(60)
    })
    console.log(`${weather}: formed within ${seconds} s`)
  })

  it('the overlay adds nothing to what the weather does', async () => {
    const [first, , , last] = nodes as [LabNode, LabNode, LabNode, LabNode]
    const { ipv4 } = await overlayAddresses(last)
    const ping = ['ping', '-n', '-q', '-i', '0.05', '-c', '400', '-W', '2', ipv4]
    const { stdout } = await first.namespace.run(ping)
    const received = Number(/(\d+) received/.exec(stdout)?.[1])
    const average = Number(/rtt [^=]*= [\d.]+\/([\d.]+)/.exec(stdout)?.[1])
    expect(1 - received / 400).toBeLessThanOrEqual(lost)
    expect(average).toBeLessThan(round)
  })

  it('a node comes back after a minute without a cable', async () => {
    const node = nodes[2] as LabNode
    await lab.hub.must(['ip', 'link', 'set', port(node), 'down'])
    await sleep(60_000)
    await lab.hub.must(['ip', 'link', 'set', port(node), 'up'])
    console.log(`${weather}: cable back, whole within ${await took(() => whole(60))} s`)
  })

  it('a daemon that was killed comes back', async () => {
    const node = nodes[1] as LabNode
    await node.stop('SIGKILL')
    await sleep(5000)
    node.start()
    console.log(`${weather}: daemon back, whole within ${await took(() => whole(60))} s`)
  })

  it('a node with another address is found again', async () => {
    const node = nodes[3] as LabNode
    const lines = [
      `address del ${node.underlay.ipv4}/24 dev eth0`,
      `address del ${node.underlay.ipv6}/64 dev eth0`,
      'address add 192.0.2.77/24 dev eth0',
      'address add 2001:db8::77/64 dev eth0 nodad',
      'route add default via 192.0.2.254 dev eth0',
    ]
    await node.namespace.must(['ip', '-batch', '-'], { input: lines.join('\n') })
    console.log(`${weather}: address changed, whole within ${await took(() => whole(60))} s`)
  })

  async function whole(seconds: number): Promise<void> {
    await allUp(nodes, seconds)
    await eventually(
      'every pair answers',
      async () => (await silentPairs(nodes, tries)).length === 0,
      seconds,
    )
  }
})

function port(node: LabNode): string {
  return `p${node.index}`
}

/** Seconds of the guest's clock. */
async function took(what: () => Promise<void>): Promise<string> {
  const began = performance.now()
  await what()
  return ((performance.now() - began) / 1000).toFixed(1)
}
