import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Connection, MessageStream, Stream } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { preSharedKey } from '@libp2p/pnet'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { privateKeyOf } from '../../src/gossip/swarm.ts'
import type { MeshKeys } from '../../src/host/secret.ts'

/** A libp2p node of the private network that heeds nothing: neither what the other side asks of it nor its pace. */
export interface Intruder {
  /** Another connection; ends the one before. */
  visit(): Promise<Visit>
  end(): Promise<void>
}

export interface Visit {
  readonly seed: Uint8Array
  readonly connection: Connection
  /** Under the muxer: what is sent here are frames. */
  readonly wire: MessageStream
  isOpen(): boolean
  open(protocol: string): Promise<Stream>
}

export async function createIntruder(
  { networkKey }: Pick<MeshKeys, 'networkKey'>,
  address: string,
  name: string,
): Promise<Intruder> {
  const seed = createHash('sha256').update(`intruder ${name}`).digest()
  let wire: MessageStream | null = null
  const createMuxer = yamux({ enableKeepAlive: false, maxOutboundStreams: 1e6, maxInboundStreams: 1e6 })
  const psk = `/key/swarm/psk/1.0.0/\n/base16/\n${Buffer.from(networkKey).toString('hex')}`
  const node = await createLibp2p({
    privateKey: privateKeyOf(seed),
    transports: [tcp()],
    connectionProtector: preSharedKey({ psk: new TextEncoder().encode(psk) }),
    connectionEncrypters: [noise()],
    streamMuxers: [
      () => {
        const factory = createMuxer()
        const createStreamMuxer: typeof factory.createStreamMuxer = connection => {
          wire = connection
          return factory.createStreamMuxer(connection)
        }
        return { ...factory, protocol: factory.protocol, createStreamMuxer }
      },
    ],
    connectionMonitor: { enabled: false },
    connectionGater: { denyDialMultiaddr: () => false },
  })
  // Whatever the node opens is left to wait.
  for (const protocol of ['/meshsub/1.2.0', '/meshsub/1.1.0', '/lnet/sync/1'])
    await node.handle(protocol, stream => stream.addEventListener('message', () => undefined), {
      maxInboundStreams: 1000,
    })
  return {
    end: async () => {
      for (const connection of node.getConnections()) connection.abort(new Error('enough'))
      await node.stop()
    },
    async visit() {
      for (const connection of node.getConnections()) connection.abort(new Error('again'))
      const connection = await node.dial(multiaddr(address))
      return {
        seed,
        connection,
        wire: wire as unknown as MessageStream,
        isOpen: () => connection.status === 'open',
        open: protocol =>
          connection.newStream(protocol, { signal: AbortSignal.timeout(5000), maxOutboundStreams: 1e6 }),
      }
    },
  }
}

/** Sends as fast as the other side takes it. */
export async function pour(stream: MessageStream, bytes: Uint8Array): Promise<void> {
  if (stream.send(bytes)) return
  await stream.onDrain({ signal: AbortSignal.timeout(30_000) })
  await sleep(0)
}
