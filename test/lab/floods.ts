import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Stream } from '@libp2p/interface'
import { sealEnvelope } from '../../src/gossip/envelope.ts'
import { privateKeyOf } from '../../src/gossip/swarm.ts'
import { encodeAnnouncement } from '../../src/mesh/codec.ts'
import { hashMessage } from '../../src/mesh/exchange.ts'
import { encodeSyncMessage } from '../../src/mesh/sync.ts'
import type { MeshId } from '../../src/model/node.ts'
import { pour, type Visit } from './intruder.ts'
import { madeUp } from './made-up.ts'

/** Floods on a connection until it ends. */
type Flood = (visit: Visit) => Promise<void>

const meshsub = '/meshsub/1.1.0'
const sync = '/lnet/sync/1'

/** Whatever somebody with the mesh secret can send more of than anybody needs. */
export const floods = {
  /** Its own words, each newer than the one before. */
  words: mesh => async visit => {
    const stream = await visit.open(meshsub)
    stream.send(framed(subscription(mesh, true)))
    const key = privateKeyOf(visit.seed)
    const incarnation = Math.floor(Date.now() / 1000)
    for (let counter = 1; visit.isOpen(); counter += 1) {
      const announcement = {
        ...madeUp(mesh, visit.seed, 0, '192.0.2.200:51820'),
        sequence: { incarnation, counter },
      }
      await pour(stream, framed(message(mesh, await sealEnvelope(key, encodeAnnouncement(announcement)))))
    }
  },
  /** What looks like words, many at once. */
  forged: mesh => poured(meshsub, () => framed(join(times(250, () => message(mesh, randomBytes(2000)))))),
  /** The smallest messages, as many as fit. */
  crumbs: mesh => poured(meshsub, () => framed(join(times(512, () => message(mesh, randomBytes(16)))))),
  /** Offers and requests of what nobody has. */
  offers: mesh =>
    poured(meshsub, () =>
      framed(
        control(
          mesh,
          times(2400, () => randomBytes(16)),
        ),
      ),
    ),
  /** In and out of the topic, and in and out of the mesh of it. */
  subscriptions: mesh =>
    poured(meshsub, () =>
      framed(join([...times(16, index => subscription(mesh, index % 2 === 0)), graftAndPrune(mesh)])),
    ),
  /** The cheapest question there is. */
  questions: () =>
    poured(sync, () => join(times(100, () => framed(encodeSyncMessage(hashMessage(randomBytes(16))))))),
  /** Bytes of the largest size that say nothing. */
  nonsense: () => poured(sync, () => framed(cborMaps(256 * 1024 - 8))),
  /** Streams that are opened and forgotten. */
  streams: () => async visit => {
    for (let id = 1001; visit.isOpen(); id += 200)
      await pour(
        visit.wire,
        join(times(100, index => join([frame(1, 1, id + 2 * index, 0), frame(1, 8, id + 2 * index, 0)]))),
      )
  },
  /** Questions of the muxer, which it answers one by one. */
  pings: () => async visit => {
    while (visit.isOpen()) await pour(visit.wire, join(times(5000, index => frame(2, 1, 0, index))))
  },
  /** Frames of a stream that carry nothing. */
  empties: () => async visit => {
    const { id } = await visit.open(meshsub)
    while (visit.isOpen()) await pour(visit.wire, join(times(5000, () => frame(0, 0, Number(id), 0))))
  },
  /** One frame that does not end. */
  endless: () => async visit => {
    const { id } = await visit.open(meshsub)
    await pour(visit.wire, frame(0, 0, Number(id), 0xff_ff_ff_ff))
    while (visit.isOpen()) await pour(visit.wire, new Uint8Array(60_000))
  },
  /** A frame that comes byte by byte, each byte encrypted for itself. */
  slivers: () => async visit => {
    const { id } = await visit.open(meshsub)
    await pour(visit.wire, frame(0, 0, Number(id), 256 * 1024 - 1))
    while (visit.isOpen()) await pour(visit.wire, new Uint8Array(1))
  },
  /** Connections, one after the other. */
  connections: () => async visit => {
    visit.connection.abort(new Error('again'))
  },
  /** Questions who it is. */
  identify: () => async visit => {
    while (visit.isOpen()) {
      const streams = times(20, () => visit.open('/lnet/id/1.0.0').catch(() => null))
      for (const stream of await Promise.all(streams)) stream?.abort(new Error('enough'))
      await sleep(1)
    }
  },
  /** A message that comes byte by byte. */
  trickle: () => async visit => {
    const stream = await visit.open(sync)
    stream.send(Uint8Array.of(0xf0, 0xff, 0x0f))
    while (visit.isOpen() && stream.status === 'open') {
      stream.send(Uint8Array.of(0))
      await sleep(1)
    }
  },
} as const satisfies Record<string, (mesh: MeshId) => Flood>

export type FloodKind = keyof typeof floods

function poured(protocol: string, bytes: () => Uint8Array): Flood {
  // Made before, so that making it does not hold up the flood.
  const ready = times(16, bytes)
  return async visit => {
    const stream: Stream = await visit.open(protocol)
    for (let turn = 0; visit.isOpen() && stream.status === 'open'; turn += 1) {
      const next = turn < 64 ? ready[turn % ready.length] : bytes()
      await pour(stream, next as Uint8Array)
    }
  }
}

function topicOf(mesh: MeshId): Uint8Array {
  return new TextEncoder().encode(`/lnet/1/${mesh}`)
}

/** Of an RPC of gossipsub: field 1, 2, 3. */
function subscription(mesh: MeshId, subscribe: boolean): Uint8Array {
  return field(1, join([Uint8Array.of(0x08, Number(subscribe)), field(2, topicOf(mesh))]))
}

function message(mesh: MeshId, data: Uint8Array): Uint8Array {
  return field(2, join([field(2, data), field(4, topicOf(mesh))]))
}

function control(mesh: MeshId, ids: readonly Uint8Array[]): Uint8Array {
  const offers = join([field(1, topicOf(mesh)), ...ids.map(id => field(2, id))])
  return field(3, join([field(1, offers), field(2, join(ids.map(id => field(1, id))))]))
}

function graftAndPrune(mesh: MeshId): Uint8Array {
  const topic = field(1, topicOf(mesh))
  return field(3, join(times(64, () => join([field(3, topic), field(4, topic)]))))
}

function field(number: number, content: Uint8Array): Uint8Array {
  return join([Uint8Array.of(number * 8 + 2), varint(content.length), content])
}

function framed(bytes: Uint8Array): Uint8Array {
  return join([varint(bytes.length), bytes])
}

function varint(value: number): Uint8Array {
  const bytes: number[] = []
  for (let left = value; ; left = Math.floor(left / 128)) {
    if (left < 128) return Uint8Array.of(...bytes, left)
    bytes.push((left % 128) + 128)
  }
}

/** yamux: version, type, flags, stream, length. */
function frame(type: number, flags: number, stream: number, length: number): Uint8Array {
  const header = new DataView(new ArrayBuffer(12))
  header.setUint8(1, type)
  header.setUint16(2, flags)
  header.setUint32(4, stream)
  header.setUint32(8, length)
  return new Uint8Array(header.buffer)
}

function cborMaps(length: number): Uint8Array {
  const bytes = new Uint8Array(length).fill(0xa0)
  bytes.set([0x82, 0x02, 0x9a, 0x00, 0x03, 0xff, 0xf0])
  return bytes
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts))
}

function times<Item>(count: number, make: (index: number) => Item): Item[] {
  return Array.from({ length: count }, (_, index) => make(index))
}
