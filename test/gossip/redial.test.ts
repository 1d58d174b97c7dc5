import { randomBytes } from 'node:crypto'
import { createServer, type Server, type Socket } from 'node:net'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { afterEach, describe, expect, it } from 'vitest'
import { createGossip } from '../../src/gossip/gossip.ts'
import type { GossipHandlers } from '../../src/gossip/port.ts'
import { privateKeyOf } from '../../src/gossip/swarm.ts'
import type { HostPort } from '../../src/model/address.ts'
import { sentenceOf } from '../../src/model/explanation.ts'
import { nodeId } from '../mesh/world.ts'
import {
  freePort,
  gossipOptions,
  listenOn,
  startNode,
  stopAll,
  stopNode,
  type TestNode,
  until,
} from './mesh.ts'

const servers = new Set<Server>()
/** Longer than the wait after some failed dials. */
const settleMilliseconds = 3000

afterEach(async () => {
  await stopAll()
  for (const server of servers) server.close()
  servers.clear()
})

describe('a star around one bootstrap node', () => {
  it('becomes a mesh, and survives the death of the bootstrap node', async () => {
    const hub = await startNode()
    await hub.say('hub')
    const nodes: TestNode[] = []
    for (let index = 0; index < 9; index += 1) {
      nodes.push(await startNode({ bootstrap: [hub.address] }))
      await nodes.at(-1)?.say('first')
    }
    await until(() => nodes.every(({ known }) => known.size === 10), 'everyone knows everyone')
    await until(() => nodes.every(({ gossip }) => gossip.neighbours().length >= 4), 'a mesh')
    await stopNode(hub)
    await until(() => nodes.every(node => !neighboursOf(node).includes(hub.gossip.node)), 'the hub is missed')
    await nodes[0]?.say('last')
    const author = nodes[0]?.gossip.node
    await until(
      () => nodes.every(({ known }) => [...known].some(([id, { text }]) => id === author && text === 'last')),
      'heard without the hub',
    )
  })

  it('comes together again when the bootstrap node comes back', async () => {
    const port = await freePort()
    const seed = randomBytes(32)
    const bootstrap = [`/ip4/127.0.0.1/tcp/${port}`]
    const hub = await startNode({ seed, port })
    const node = await startNode({ port: await freePort(), bootstrap, candidates: () => [] })
    await until(() => node.synced.length > 0, 'connected')
    await stopNode(hub)
    await until(() => neighboursOf(node).length === 0, 'alone')
    await until(() => node.gossip.dials().some(({ failures }) => failures > 0), 'a failure is told')
    const again = await startNode({ seed, port })
    const milliseconds = await until(() => neighboursOf(node).length === 1, 'together again', 15)
    expect(milliseconds).toBeLessThan(12_000)
    expect(again.gossip.node).toBe(hub.gossip.node)
    expect(node.gossip.dials()).toEqual([])
  })

  it('is joined by way of the living bootstrap node while others are dead', async () => {
    const silent = await listen(() => undefined)
    const refusing = await freePort()
    const port = await freePort()
    await startNode({ port })
    const bootstrap = [silent, refusing, port].map(each => `/ip4/127.0.0.1/tcp/${each}`)
    const node = await startNode({ port: await freePort(), bootstrap })
    expect(await until(() => neighboursOf(node).length === 1, 'joined', 4)).toBeLessThan(4000)
  })
})

describe('two nodes that are each told where the other one is', () => {
  it('keep the one connection they have, and ask no more who lives there', async () => {
    const [low, high] = seedsByNode() as [Uint8Array, Uint8Array]
    const ports = [await freePort(), await freePort()] as const
    const connected = Promise.withResolvers<void>()
    let dials = 0
    // The dial of the higher one comes second, and of two that cross the lower one's stays.
    const resolve = async () => {
      dials += 1
      await connected.promise
      return ['127.0.0.1']
    }
    const place = { kind: 'host' as const, place: `gauss.example.org:${ports[0]}` as HostPort }
    const second = await startNode({ seed: high, port: ports[1], resolve, places: [place] })
    const first = await startNode({
      seed: low,
      port: ports[0],
      bootstrap: [`/ip4/127.0.0.1/tcp/${ports[1]}`],
    })
    await until(() => neighboursOf(second).length === 1, 'connected')
    connected.resolve()
    await new Promise(resolve => setTimeout(resolve, settleMilliseconds))
    expect(second.gossip.dials()).toEqual([])
    expect(dials).toBe(1)
    expect([first.changes, second.changes]).toEqual([1, 1])
  })
})

describe('names', () => {
  it('are resolved anew at each dial', async () => {
    const hub = await startNode({ port: await freePort() })
    const port = Number(hub.address.split('/').at(-1))
    const answers = [['203.0.113.1'], ['not an address'], ['127.0.0.1']]
    let asked = 0
    const resolve = async () => {
      asked += 1
      if (asked === 1) throw new Error('getaddrinfo ENOTFOUND')
      return answers[Math.min(asked - 2, 2)] ?? []
    }
    const node = await startNode({
      port: await freePort(),
      resolve,
      places: [{ kind: 'host', place: `gauss.example.org:${port}` as HostPort }],
    })
    await until(() => neighboursOf(node).length === 1, 'found under its new address', 40)
    expect(asked).toBeGreaterThanOrEqual(4)
  })
})

describe('an address whose name leads nowhere', () => {
  it.each([
    ['fails', () => Promise.reject(new Error('getaddrinfo ENOTFOUND'))],
    ['is not answered', () => new Promise<readonly string[]>(() => undefined)],
  ])('keeps no other address of its member from being dialled, when the lookup %s', async (_, resolve) => {
    const hub = await startNode({ port: await freePort() })
    const addresses = ['/dns/dead.example.org/tcp/51821', hub.address, '/dns4/dead2.example.org/tcp/51821']
    const candidate = { node: hub.gossip.node, addresses, wanted: true }
    const node = await startNode({ port: await freePort(), resolve, candidates: () => [candidate] })
    expect(await until(() => neighboursOf(node).length === 1, 'connected', 5)).toBeLessThan(3000)
    await stopNode(node)
    const other = await startNode({ port: await freePort(), resolve, candidates: () => [candidate] })
    expect(await other.gossip.reaches(hub.gossip.node)).toBe(true)
  })
})

describe('members whose addresses do not answer', () => {
  it('hold up no bootstrap address, however many they are', async () => {
    const silent = await listen(() => undefined, '0.0.0.0')
    const hub = await startNode({ port: await freePort() })
    const addresses = Array.from({ length: 16 }, (_, index) => `/ip4/127.0.2.${index + 1}/tcp/${silent}`)
    const fakes = Array.from({ length: 14 }, (_, index) => ({
      node: nodeId(index),
      addresses: addresses.map(address => address.replace('127.0.2', `127.0.${index + 10}`)),
      wanted: true,
    }))
    const found = Promise.withResolvers<readonly string[]>()
    const node = await startNode({
      port: await freePort(),
      places: [{ kind: 'host', place: `hub.example.org:${hub.address.split('/').at(-1)}` as HostPort }],
      resolve: () => found.promise,
      candidates: () => fakes,
    })
    await new Promise(resolve => setTimeout(resolve, settleMilliseconds))
    found.resolve(['127.0.0.1'])
    expect(await until(() => neighboursOf(node).length === 1, 'connected')).toBeLessThan(1000)
  })
})

describe('another mesh secret', () => {
  it('is suspected on both sides', async () => {
    const port = await freePort()
    const hub = await startNode({ port })
    const bootstrap = [`/ip4/127.0.0.1/tcp/${port}`]
    const stranger = await startNode({ port: await freePort(), networkKey: randomBytes(32), bootstrap })
    await until(
      () => stranger.gossip.dials().some(({ secretMayDiffer }) => secretMayDiffer),
      'by who dials',
      50,
    )
    await until(
      () => hub.gossip.dials().some(({ secretMayDiffer }) => secretMayDiffer),
      'by who is dialled',
      50,
    )
    expect(stranger.gossip.dials()[0]?.target).toBe(bootstrap[0])
    expect(hub.gossip.dials()[0]?.target).toBe('from 127.0.0.1')
    expect(neighboursOf(hub)).toEqual([])
  })

  it('is not suspected where nobody listens, or where somebody else does', async () => {
    const strangers = await listen(socket => socket.end('SSH-2.0-dropbear\r\n'))
    const bootstrap = [await freePort(), strangers].map(port => `/ip4/127.0.0.1/tcp/${port}`)
    const node = await startNode({ port: await freePort(), bootstrap })
    await until(
      () => node.gossip.dials().filter(({ failures }) => failures >= 4).length === 2,
      'failures',
      40,
    )
    expect(node.gossip.dials().some(({ secretMayDiffer }) => secretMayDiffer)).toBe(false)
  })
})

describe('whom nobody dials', () => {
  it('is ourselves', async () => {
    const port = await freePort()
    const node = await startNode({ port, bootstrap: [`/ip4/127.0.0.1/tcp/${port}`] })
    await new Promise(resolve => setTimeout(resolve, 500))
    expect(neighboursOf(node)).toEqual([])
    expect(node.gossip.dials().filter(({ secretMayDiffer }) => secretMayDiffer)).toEqual([])
  })

  it('is an address inside the tunnel', async () => {
    let connections = 0
    const port = await listen(() => {
      connections += 1
    })
    const node = await startNode({
      port: await freePort(),
      bootstrap: [`/ip4/127.0.0.1/tcp/${port}`],
      inside: address => address === '127.0.0.1',
    })
    await until(() => node.gossip.dials().length === 1, 'told')
    expect(node.gossip.dials()[0]?.error).toContain('no address of it can be dialled')
    expect(connections).toBe(0)
  })
})

describe('a port', () => {
  it('that is taken is a failure that names the remedy', async () => {
    const port = await listen(() => undefined, '0.0.0.0')
    const result = await createGossip(gossipOptions({ port }), noHandlers)
    expect(result.ok ? '' : sentenceOf(result.failure)).toBe(
      `TCP port ${port} is in use by another program; set gossip.port in the configuration, or stop that program`,
    )
  })
})

/** Of two nodes, the lower one's first. */
function seedsByNode(): readonly Uint8Array[] {
  const idOf = (seed: Uint8Array) => peerIdFromPrivateKey(privateKeyOf(seed)).toString()
  return [randomBytes(32), randomBytes(32)].sort((a, b) => (idOf(a) < idOf(b) ? -1 : 1))
}

const noHandlers: GossipHandlers = {
  announced: () => ({ kind: 'accept' }),
  refused: () => undefined,
  sync: {
    setHash: () => new Uint8Array(16),
    digest: () => [],
    envelopes: () => [],
    admit: () => undefined,
  },
  candidates: () => [],
  twinMet: () => undefined,
  neighboursChanged: () => undefined,
  synced: () => undefined,
}

function neighboursOf(node: TestNode): readonly string[] {
  return node.gossip.neighbours().map(neighbour => neighbour.node)
}

function listen(onSocket: (socket: Socket) => void, host?: string): Promise<number> {
  const server = createServer(socket => {
    socket.on('error', () => socket.destroy())
    onSocket(socket)
  })
  servers.add(server)
  return listenOn(server, host)
}
