import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createLab, eventually, type Lab } from '../lab/lab.ts'
import type { LabNode } from '../lab/node.ts'
import { allUp, overlayAddresses, silentPairs } from '../lab/overlay.ts'

/**
 * Bad weather on the way to every node, by the guest's clock: what is measured is the protocol alone. `round` is the round
 * trip in ms and `lost` the share of answers lost that the weather alone explains, both with room to spare.
 */
const weathers = [
  { weather: 'delay 80ms', round: 200, lost: 0 },
  { weather: 'loss 10%', round: 100, lost: 0.35 },
  { weather: 'delay 40ms 10ms reorder 25% 50%', round: 150, lost: 0 },
] as const
const storm = 'delay 80ms 20ms loss 10% reorder 25% 50%'
/** A ping that a tenth of packets each way cannot make fail for all pairs at once. */
const tries = 8

/** One mesh; the tests follow each other through its life. */
let lab: Lab
let nodes: readonly LabNode[]

beforeAll(async () => {
  lab = await createLab({ nodes: 4 })
  nodes = lab.nodes
  await blow(storm)
})
afterAll(() => lab.cleanup())

describe(`under ${storm}`, () => {
  it('a mesh forms', async () => {
    for (const node of nodes) node.start()
    console.log(`formed within ${await whole()} s`)
  })

  it('a node comes back after a minute without a cable', async () => {
    const node = nodes[2] as LabNode
    await lab.hub.must(['ip', 'link', 'set', port(node), 'down'])
    await sleep(60_000)
    await lab.hub.must(['ip', 'link', 'set', port(node), 'up'])
    console.log(`cable back, whole within ${await whole()} s`)
  })

  it('a daemon that was killed comes back', async () => {
    const node = nodes[1] as LabNode
    await node.stop('SIGKILL')
    await sleep(5000)
    node.start()
    await node.listening()
    console.log(`daemon back, whole within ${await whole()} s`)
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
    console.log(`address changed, whole within ${await whole()} s`)
  })
})

describe.each(weathers)('under $weather', ({ weather, round, lost }) => {
  it('the overlay adds nothing to what the weather does', async () => {
    await blow(weather)
    const [first, second] = nodes as [LabNode, LabNode]
    const { ipv4 } = await overlayAddresses(second)
    const ping = ['ping', '-n', '-q', '-i', '0.05', '-c', '400', '-W', '2', ipv4]
    const { stdout } = await first.namespace.run(ping)
    const received = Number(/(\d+) received/.exec(stdout)?.[1])
    const average = Number(/rtt [^=]*= [\d.]+\/([\d.]+)/.exec(stdout)?.[1])
    console.log(`${weather}: ${400 - received} of 400 lost, ${average} ms`)
    expect(1 - received / 400).toBeLessThanOrEqual(lost)
    expect(average).toBeLessThan(round)
  })
})

async function blow(weather: string): Promise<void> {
  for (const node of nodes)
    await lab.hub.must(['tc', 'qdisc', 'replace', 'dev', port(node), 'root', 'netem', ...weather.split(' ')])
}

/** Seconds of the guest's clock until every node sees every other, and every pair answers. */
async function whole(): Promise<string> {
  const began = performance.now()
  await allUp(nodes, 60)
  const answers = async () => (await silentPairs(nodes, tries)).length === 0
  await eventually('every pair answers', answers, 60)
  return ((performance.now() - began) / 1000).toFixed(1)
}

function port(node: LabNode): string {
  return `p${node.index}`
}
