import { createHash, randomBytes } from 'node:crypto'
import { createServer, type Server } from 'node:net'
import { memory } from '@libp2p/memory'
import { createGossip, type GossipParts } from '../../src/gossip/gossip.ts'
import { type Admits, admission } from '../../src/gossip/interfaces.ts'
import type { Resolve } from '../../src/gossip/places.ts'
import type { DialCandidate, Gossip, GossipHandlers, GossipOptions } from '../../src/gossip/port.ts'
import { type DigestEntry, hashDigest } from '../../src/mesh/sync.ts'
import type { Envelope, OpenedEnvelope, Verdict } from '../../src/model/announcement.ts'
import type { BootstrapPlace } from '../../src/model/configuration.ts'
import { sentenceOf } from '../../src/model/explanation.ts'
import type { NodeId } from '../../src/model/node.ts'

/** A node with a minimal daemon: it keeps the newest numbered word of each author, and dials whom it heard of. */
export interface TestNode {
  readonly gossip: Gossip
  readonly address: string
  /** What was said, by author. */
  readonly known: Map<NodeId, Word>
  /** By the topic alone. */
  readonly heard: OpenedEnvelope[]
  readonly refused: string[]
  readonly synced: NodeId[]
  changes: number
  say(text?: string): Promise<Word>
}

export interface Word {
  readonly envelope: Envelope
  readonly number: number
  readonly text: string
  readonly gossip: readonly string[]
}

export interface TestNodeOptions extends GossipParts {
  readonly resolve?: Resolve
  readonly seed?: Uint8Array
  readonly networkKey?: Uint8Array
  readonly bootstrap?: readonly string[]
  readonly places?: readonly BootstrapPlace[]
  readonly port?: number
  /** The IP address the port is at; the loopback address unless told. */
  readonly host?: string
  readonly mdns?: boolean
  readonly verdict?: (opened: OpenedEnvelope) => Verdict
  readonly inside?: (address: string) => boolean
  readonly candidates?: () => readonly DialCandidate[]
}

export const meshKey = createHash('sha256').update('the mesh of the tests').digest()
export const topic = '/lnet/1/00112233445566778899aabbccddeeff'
let nextAddress = 0
const running = new Set<Gossip>()

/** Over the memory transport, unless a port is given. Throws when it does not start. */
export async function startNode(options: TestNodeOptions = {}): Promise<TestNode> {
  const isMemory = options.port === undefined
  const address = isMemory
    ? `/memory/lnet-${nextAddress++}`
    : `/ip4/${options.host ?? '127.0.0.1'}/tcp/${options.port}`
  const node = newNode(address, options)
  const admitsAll = admission(gossipOptions(options))
  // Nodes of a test are on the loopback address, or in memory, where only the operator could have them.
  const admits: Admits = place => admitsAll(place, 'operator')
  const parts: GossipParts = isMemory ? { transports: [memory()], listen: [address] } : { listen: [address] }
  const result = await createGossip(gossipOptions(options), node.handlers, {
    ...parts,
    admits,
    ...pick(options),
  })
  if (!result.ok) throw new Error(sentenceOf(result.failure))
  node.attach(result.value)
  running.add(result.value)
  return node
}

export async function stopAll(): Promise<void> {
  await Promise.all([...running].map(gossip => gossip.stop()))
  running.clear()
}

export async function stopNode(node: TestNode): Promise<void> {
  running.delete(node.gossip)
  await node.gossip.stop()
}

/** A TCP port of the loopback address that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer()
  const port = await listenOn(server)
  await new Promise(resolve => server.close(resolve))
  return port
}

export function listenOn(server: Server, host = '127.0.0.1'): Promise<number> {
  return new Promise((resolve, reject) => {
    server.on('error', reject)
    server.listen(0, host, () => {
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : 0)
    })
  })
}

/** Resolves when the condition holds; throws after a generous time. */
export async function until(condition: () => boolean, what: string, seconds = 30): Promise<number> {
  const start = performance.now()
  while (!condition()) {
    if (performance.now() - start > seconds * 1000) throw new Error(`not in ${seconds} s: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 5))
  }
  return performance.now() - start
}

export function gossipOptions(options: TestNodeOptions): GossipOptions {
  return {
    identitySeed: options.seed ?? randomBytes(32),
    networkKey: options.networkKey ?? meshKey,
    topic,
    port: options.port ?? 51_821,
    bootstrap: [
      ...(options.places ?? []),
      ...(options.bootstrap ?? []).map(multiaddr => ({ kind: 'multiaddr' as const, multiaddr })),
    ],
    mdns: options.mdns ?? false,
    resolve: options.resolve ?? (host => Promise.reject(new Error(`${host} cannot be resolved`))),
    isInside: options.inside ?? (() => false),
    now: () => performance.now(),
    wallSeconds: () => Math.floor(Date.now() / 1000),
    random: Math.random,
  }
}

function pick({ sync, admits, listen, addresses }: TestNodeOptions): GossipParts {
  return {
    ...(sync === undefined ? {} : { sync }),
    ...(admits === undefined ? {} : { admits }),
    ...(listen === undefined ? {} : { listen }),
    ...(addresses === undefined ? {} : { addresses }),
  }
}

function newNode(address: string, options: TestNodeOptions) {
  const known = new Map<NodeId, Word>()
  const heard: OpenedEnvelope[] = []
  const refused: string[] = []
  const synced: NodeId[] = []
  let attached: Gossip | null = null
  let number = 0
  const gossip = () => {
    if (attached === null) throw new Error('not started')
    return attached
  }
  const take = (envelope: Envelope, { author, payload }: OpenedEnvelope): Verdict => {
    const word = { envelope, ...JSON.parse(new TextDecoder().decode(payload)) } as Word
    const before = known.get(author)
    if (before !== undefined && before.number >= word.number)
      return { kind: 'ignore', reason: before.number === word.number ? 'known' : 'old-sequence' }
    known.set(author, word)
    return { kind: 'accept' }
  }
  const handlers: GossipHandlers = {
    announced: (envelope, opened) => {
      heard.push(opened)
      return options.verdict?.(opened) ?? take(envelope, opened)
    },
    refused: reason => refused.push(reason),
    sync: {
      setHash: () => hashDigest(digestOf(known)),
      digest: () => digestOf(known),
      envelopes: nodes =>
        nodes.flatMap(node => {
          const word = known.get(node)
          return word === undefined ? [] : [{ envelope: word.envelope, ageMilliseconds: 0 }]
        }),
      admit: entries => {
        for (const { envelope, opened } of entries) take(envelope, opened)
      },
    },
    candidates: options.candidates ?? (() => candidatesOf(known, gossip().node)),
    twinMet: () => undefined,
    neighboursChanged: () => {
      node.changes += 1
    },
    synced: neighbour => synced.push(neighbour),
  }
  const node = {
    handlers,
    attach: (value: Gossip) => {
      attached = value
    },
    get gossip() {
      return gossip()
    },
    address,
    known,
    heard,
    refused,
    synced,
    changes: 0,
    say: async (text = '') => {
      number += 1
      const payload = new TextEncoder().encode(JSON.stringify({ number, text, gossip: [address] }))
      const envelope = await gossip().seal(payload)
      const word = { envelope, number, text, gossip: [address] }
      known.set(gossip().node, word)
      await gossip().publish(envelope)
      return word
    },
  }
  return node
}

function digestOf(known: ReadonlyMap<NodeId, Word>): readonly DigestEntry[] {
  return [...known]
    .map(([node, { number }]) => ({ node, sequence: { incarnation: 1, counter: number } }))
    .sort((a, b) => (a.node < b.node ? -1 : 1))
}

/** The four next on the circle of ids are wanted. */
function candidatesOf(known: ReadonlyMap<NodeId, Word>, self: NodeId): readonly DialCandidate[] {
  const others = [...known.keys()].filter(node => node !== self).sort()
  const after = others.findIndex(node => node > self)
  const ordered = after < 0 ? others : [...others.slice(after), ...others.slice(0, after)]
  return ordered.map((node, index) => ({
    node,
    addresses: known.get(node)?.gossip ?? [],
    wanted: index < 4,
  }))
}
