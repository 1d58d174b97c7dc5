import { randomBytes } from 'node:crypto'
import type { Stream } from '@libp2p/interface'
import { memory } from '@libp2p/memory'
import { lpStream } from '@libp2p/utils'
import { multiaddr } from '@multiformats/multiaddr'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { sealEnvelope } from '../../src/gossip/envelope.ts'
import { privateKeyOf, type Swarm, startSwarm } from '../../src/gossip/swarm.ts'
import { syncProtocol } from '../../src/gossip/sync.ts'
import { decodeSyncMessage, encodeSyncMessage, type SyncMessage } from '../../src/mesh/sync.ts'
import { sentenceOf } from '../../src/model/explanation.ts'
import { envelopesPerSyncMax, syncForgedMax } from '../../src/model/limits.ts'
import type { NodeId } from '../../src/model/node.ts'
import { gossipOptions, startNode, stopAll, type TestNode, until } from './mesh.ts'

const strangers = new Set<Swarm>()
/** More than one page, so that paging is exercised too. */
const manyEnvelopes = envelopesPerSyncMax + 200
let nextHostile = 0

afterEach(async () => {
  await Promise.all([...strangers].map(swarm => swarm.stop()))
  strangers.clear()
  await stopAll()
})

describe('sync on connect', () => {
  it('brings a late joiner everything, and the other side what the joiner knows', async () => {
    const a = await startNode()
    const b = await startNode({ bootstrap: [a.address] })
    await until(() => a.synced.length > 0 && b.synced.length > 0, 'synced')
    await a.say('a')
    await b.say('b')
    const late = await startNode({ bootstrap: [b.address] })
    await late.say('late')
    const nodes = [a, b, late]
    await until(() => nodes.every(({ known }) => known.size === 3), 'all know all')
    expect(late.synced.length).toBeGreaterThan(0)
  })

  it('is one exchange a connection', async () => {
    const a = await startNode()
    const b = await startNode({ bootstrap: [a.address] })
    await until(() => a.synced.length > 0 && b.synced.length > 0, 'synced')
    await new Promise(resolve => setTimeout(resolve, 500))
    expect([a.synced, b.synced]).toEqual([[b.gossip.node], [a.gossip.node]])
  })

  it('carries more than a page of envelopes both ways', async () => {
    const a = await startNode({ candidates: () => [] })
    const b = await startNode({ candidates: () => [] })
    await fill(a, manyEnvelopes)
    await fill(b, 50)
    const c = await startNode({ bootstrap: [a.address, b.address], candidates: () => [] })
    const total = manyEnvelopes + 50
    const nodes = [a, b, c]
    await until(() => nodes.every(({ known }) => known.size === total), 'all know all', 60)
  }, 120_000)

  it('passes on at once what it brought', async () => {
    const line: TestNode[] = [await startNode({ candidates: () => [] })]
    for (let index = 1; index < 5; index += 1) {
      const bootstrap = [line[index - 1]?.address ?? '']
      line.push(await startNode({ bootstrap, candidates: () => [] }))
    }
    await until(() => line.every(({ synced }) => synced.length > 0), 'a line')
    const other = await startNode({ candidates: () => [] })
    await fill(other, 20)
    const bridge = await startNode({
      bootstrap: [other.address, line[0]?.address ?? ''],
      candidates: () => [],
    })
    await until(() => line.every(({ known }) => known.size === 20), 'at the far end', 8)
    expect(bridge.known.size).toBe(20)
  })
})

describe('a hostile member', () => {
  it('cannot break the stream handler with garbage', async () => {
    const node = await startNode()
    await node.say('here')
    const hostile = await connect(node)
    const anyBytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.uint8Array({ maxLength: 60 }).map(bytes => Uint8Array.from([0xa1, ...bytes])),
      fc.constantFrom(...questions()).chain(message => {
        const bytes = encodeSyncMessage(message)
        return fc
          .tuple(fc.nat({ max: bytes.length - 1 }), fc.nat({ max: 255 }))
          .map(([at, byte]) => bytes.with(at, byte))
      }),
    )
    const parts = fc.array(anyBytes, { minLength: 1, maxLength: 4 })
    let opened = 0
    await fc.assert(
      fc.asyncProperty(parts, fc.boolean(), async (bytes, isFramed) => {
        // Whoever answers nothing is hung up on after a while, and so is who opens stream after stream.
        opened += 1
        if (opened % 64 === 0) await Promise.all(hostile.getConnections().map(each => each.close()))
        if (hostile.getConnections().length === 0) await hostile.dial(multiaddr(node.address))
        const stream = await open(hostile)
        const messages = lpStream(stream)
        for (const part of bytes) {
          if (stream.status !== 'open') break
          if (isFramed) await messages.write(part, { signal: AbortSignal.timeout(20_000) })
          else stream.send(part)
        }
        await new Promise(resolve => setTimeout(resolve, 1))
        stream.abort(new Error('enough'))
      }),
      { numRuns: 2000 },
    )
    await expectHealthy(node)
    expect(node.known.size).toBe(2)
    expect(node.refused.filter(reason => reason === 'malformed').length).toBeGreaterThan(300)
  }, 120_000)

  it('cannot make it take oversized or endless messages', async () => {
    const node = await startNode()
    const hostile = await connect(node)
    const stream = await open(hostile)
    stream.send(Uint8Array.from([0xff, 0xff, 0xff, 0x7f]))
    await until(() => stream.status !== 'open', 'closed for its length', 10)
    const endless = await open(hostile)
    const chunk = new Uint8Array(64 * 1024)
    endless.send(Uint8Array.from([0x80, 0x80, 0x80, 0x01]))
    for (let sent = 0; sent < 200 && endless.status === 'open'; sent += 1) {
      if (!endless.send(chunk)) await new Promise(resolve => setTimeout(resolve, 10))
    }
    await until(() => endless.status !== 'open', 'closed for what came', 20)
    await expectHealthy(node)
  }, 60_000)

  it('is cut off after a few forged envelopes, and the true ones before them are kept', async () => {
    const node = await startNode()
    const hostile = await connect(node)
    const stream = await open(hostile)
    const key = privateKeyOf(randomBytes(32))
    const envelope = await sealEnvelope(key, word(1))
    const forged = envelope.with(envelope.length - 1, (envelope.at(-1) ?? 0) ^ 1)
    const envelopes = [envelope, ...Array.from({ length: 100 }, () => forged)].map(each => ({
      envelope: each,
      ageMilliseconds: 0,
    }))
    await lpStream(stream).write(encodeSyncMessage({ kind: 'envelopes', envelopes, wanted: [] }))
    await until(() => stream.status !== 'open', 'closed', 10)
    expect(node.refused.filter(reason => reason === 'bad-signature')).toHaveLength(syncForgedMax)
    expect(node.known.size).toBe(1)
  })

  it('gets few answers a second, and the answers are right', async () => {
    const node = await startNode()
    await node.say('here')
    const hostile = await connect(node)
    const messages = lpStream(await open(hostile))
    let answers = 0
    const start = performance.now()
    while (performance.now() - start < 3000) {
      const signal = AbortSignal.timeout(5000)
      await messages.write(encodeSyncMessage({ kind: 'digest', entries: [] }), { signal })
      const reply = decodeSyncMessage((await messages.read({ signal })).subarray())
      expect(reply?.kind === 'envelopes' && reply.envelopes.length).toBe(1)
      answers += 1
    }
    expect(answers).toBeLessThan(120)
  })

  it('that does not answer is dropped, and costs the others nothing', async () => {
    const node = await startNode()
    const hostile = await connect(node, stream => void stream)
    const friend = await startNode({ bootstrap: [node.address] })
    await until(() => friend.synced.length > 0, 'a friend syncs')
    node.gossip.redial()
    await node.say('news')
    await until(() => friend.known.size === 1, 'news arrive')
    const isGone = () =>
      !node.gossip.neighbours().some(neighbour => neighbour.node === hostile.peerId.toString())
    await until(isGone, 'the silent one is dropped', 30)
  }, 60_000)
})

function questions(): SyncMessage[] {
  const node = `12D3KooW${'A'.repeat(44)}` as NodeId
  return [
    { kind: 'hash', hash: new Uint8Array(16) },
    { kind: 'digest', entries: [{ node, sequence: { incarnation: 1, counter: 1 } }] },
    { kind: 'envelopes', envelopes: [{ envelope: new Uint8Array(40), ageMilliseconds: 5 }], wanted: [node] },
  ]
}

/** A member with the key of the mesh and none of its manners. */
async function connect(node: TestNode, handler?: (stream: Stream) => void): Promise<Swarm> {
  const started = await startSwarm(gossipOptions({}), {
    privateKey: privateKeyOf(randomBytes(32)),
    transports: [memory()],
    listen: [`/memory/hostile-${nextHostile++}`],
    gater: {},
  })
  if (!started.ok) throw new Error(sentenceOf(started.failure))
  strangers.add(started.value)
  if (handler !== undefined) await started.value.handle(syncProtocol, handler)
  await started.value.dial(multiaddr(node.address))
  return started.value
}

async function open(hostile: Swarm): Promise<Stream> {
  const [connection] = hostile.getConnections()
  if (connection === undefined) throw new Error('the connection is gone')
  return connection.newStream(syncProtocol, { signal: AbortSignal.timeout(5000) })
}

/** Whatever happened: somebody new learns everything from it. */
async function expectHealthy(node: TestNode): Promise<void> {
  const fresh = await startNode({ bootstrap: [node.address] })
  await fresh.say('fresh')
  await until(() => fresh.synced.length > 0 && node.known.has(fresh.gossip.node), 'still in good health')
}

async function fill(node: TestNode, count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    const key = privateKeyOf(randomBytes(32))
    const envelope = await sealEnvelope(key, word(index))
    const opened = await node.gossip.open(envelope)
    if (opened === null) throw new Error('does not open')
    node.known.set(opened.author, { envelope, number: index, text: '', gossip: [] })
  }
}

function word(number: number): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ number, text: '', gossip: [] }))
}
