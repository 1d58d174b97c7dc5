import { afterEach, describe, expect, it } from 'vitest'
import { freePort, startNode, stopAll, type TestNode, type TestNodeOptions, until } from './mesh.ts'

afterEach(stopAll)

describe('two nodes', () => {
  it('hear each other, with the author proven', async () => {
    const [a, b] = await startPair()
    await a.say('hello')
    await until(() => b.heard.length === 1, 'heard by b')
    expect(b.heard[0]?.author).toBe(a.gossip.node)
    expect(b.known.get(a.gossip.node)?.text).toBe('hello')
    expect(a.heard).toEqual([])
  })

  it('share what was said while alone', async () => {
    const a = await startNode()
    await a.say('alone')
    const b = await startNode({ bootstrap: [a.address] })
    await until(() => b.known.get(a.gossip.node)?.text === 'alone', 'late joiner')
  })

  it('repeat what was said to nobody as soon as somebody listens', async () => {
    const a = await startNode({ sync: false })
    await a.say('alone')
    const b = await startNode({ sync: false, bootstrap: [a.address] })
    await until(() => b.heard.length === 1, 'heard by the topic')
    expect(b.synced).toEqual([])
  })

  it('with one key do not connect, but find each other', async () => {
    const seed = new Uint8Array(32).fill(7)
    const start = async (options: TestNodeOptions) => startNode({ ...options, port: await freePort() })
    const [one, twin, another] = [await start({ seed }), await start({ seed }), await start({})]
    expect(await one.gossip.lookForTwin([twin.address])).toBe('speaks')
    expect(await one.gossip.lookForTwin([one.address])).toBe('silence')
    expect(await one.gossip.lookForTwin([another.address])).toBe('silence')
    expect(twin.gossip.dials()).toEqual([])
  })

  it('are one neighbour of each other, whoever dials', async () => {
    const pair: TestNode[] = []
    const crossing = () => ({
      candidates: () =>
        pair.map(({ gossip, address }) => ({ node: gossip.node, addresses: [address], wanted: true })),
    })
    pair.push(await startNode(crossing()), await startNode(crossing()))
    for (const node of pair) node.gossip.redial()
    await until(() => pair.every(node => node.synced.length > 0), 'synced')
    await until(() => pair.every(node => node.gossip.neighbours().length === 1), 'one neighbour')
    await pair[0]?.say('once')
    await until(() => pair[1]?.heard.length === 1, 'heard')
    expect(pair[0]?.gossip.neighbours()[0]?.node).toBe(pair[1]?.gossip.node)
  })

  it('learn by an exchange what was said before the topic was ready', async () => {
    const a = await startNode()
    const b = await startNode({ bootstrap: [a.address] })
    await until(() => a.gossip.neighbours().length === 1, 'connected')
    const spoken = await a.say('early')
    await until(() => b.known.get(a.gossip.node)?.number === spoken.number, 'known to b', 5)
  })
})

describe('the topic', () => {
  it('carries the author, not who passed it on', async () => {
    const a = await startNode({ candidates: () => [] })
    const hub = await startNode({ bootstrap: [a.address], candidates: () => [] })
    const c = await startNode({ bootstrap: [hub.address], candidates: () => [] })
    await until(() => hub.gossip.neighbours().length === 2 && hub.synced.length > 1, 'a line of three')
    await topicReady([a, hub, c])
    await a.say('far')
    await until(() => c.heard.length > 0, 'heard two hops away')
    expect(c.gossip.neighbours().map(({ node }) => node)).toEqual([hub.gossip.node])
    expect(c.heard[0]?.author).toBe(a.gossip.node)
  })

  it('does not pass on what is refused, and counts what cannot be opened', async () => {
    const a = await startNode({ candidates: () => [] })
    const hub = await startNode({ bootstrap: [a.address], candidates: () => [] })
    const c = await startNode({ bootstrap: [hub.address], candidates: () => [] })
    await until(() => hub.synced.length > 1, 'a line of three')
    await topicReady([a, hub, c])
    const { envelope } = await a.say('true')
    await until(() => c.heard.length > 0, 'a true word arrives')
    const forged = envelope.slice()
    forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1
    await a.gossip.publish(forged)
    await a.gossip.publish(new Uint8Array(9000))
    await a.gossip.publish(new TextEncoder().encode('no envelope'))
    await until(() => hub.refused.length === 3, 'counted by the hub')
    expect([...hub.refused].sort()).toEqual(['bad-signature', 'malformed', 'oversized'])
    await a.say('after')
    await until(() => c.known.get(a.gossip.node)?.text === 'after', 'a true word arrives after them')
    expect(c.refused).toEqual([])
  })

  it('asks the daemon once for each distinct message', async () => {
    const nodes = await startRing(6)
    const [first, ...rest] = nodes as [TestNode, ...TestNode[]]
    const before = rest.map(({ heard }) => heard.length)
    await first.say('once')
    await until(() => rest.every(({ known }) => known.get(first.gossip.node)?.text === 'once'), 'everyone')
    await new Promise(resolve => setTimeout(resolve, 300))
    const copies = rest.map(({ heard }, index) => heard.length - (before[index] ?? 0))
    expect(Math.max(...copies)).toBe(1)
  })
})

describe('delivery with sync switched off', () => {
  it('brings every announcement to everyone, with more than ten nodes on one IP address', async () => {
    const nodes = await startRing(14, { sync: false, isTcp: true })
    for (const node of nodes) await node.say('first')
    await until(() => nodes.every(({ known }) => known.size === nodes.length), 'everyone knows everyone')
    for (const node of nodes) await node.say('second')
    const isTold = ({ known }: TestNode) => [...known.values()].every(({ text }) => text === 'second')
    await until(() => nodes.every(isTold), 'everyone heard the second word too')
    expect(nodes.every(({ synced }) => synced.length === 0)).toBe(true)
  })
})

describe('stopping', () => {
  it('takes at most a few seconds and is noticed by the others', async () => {
    const [a, b] = await startPair()
    const start = performance.now()
    await b.gossip.stop()
    expect(performance.now() - start).toBeLessThan(5000)
    await until(() => a.gossip.neighbours().length === 0, 'noticed')
  })
})

async function startPair(): Promise<[TestNode, TestNode]> {
  const a = await startNode()
  const b = await startNode({ bootstrap: [a.address] })
  await until(() => a.synced.length > 0 && b.synced.length > 0, 'synced')
  await topicReady([a, b])
  return [a, b]
}

/** Each dials the next three. */
async function startRing(
  size: number,
  { isTcp = false, ...options }: { sync?: boolean; isTcp?: boolean } = {},
): Promise<TestNode[]> {
  const nodes: TestNode[] = []
  for (let index = 0; index < size; index += 1) {
    const bootstrap = nodes.slice(-3).map(({ address }) => address)
    const where = isTcp ? { port: await freePort() } : {}
    nodes.push(await startNode({ ...options, ...where, bootstrap }))
  }
  await until(() => nodes.every(({ gossip }) => gossip.neighbours().length > 0), 'connected')
  await topicReady(nodes)
  return nodes
}

/** Until every node hears the topic: a word of each arrives somewhere. */
async function topicReady(nodes: readonly TestNode[]): Promise<void> {
  const deadline = performance.now() + 30_000
  for (const node of nodes) {
    while (!nodes.some(other => other.heard.some(({ author }) => author === node.gossip.node))) {
      if (performance.now() > deadline) throw new Error('the topic is not ready')
      await node.say('ready?')
      await new Promise(resolve => setTimeout(resolve, 100))
    }
  }
  for (const node of nodes) node.heard.length = 0
}
