import { createPrivateKey, createPublicKey } from 'node:crypto'
import { type GossipSub, gossipsub } from '@chainsafe/libp2p-gossipsub'
import { privateKeyFromRaw } from '@libp2p/crypto/keys'
import { type Identify, identify } from '@libp2p/identify'
import type { ConnectionGater, Libp2p, PrivateKey } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { preSharedKey } from '@libp2p/pnet'
import { createLibp2p, type Libp2pInit } from 'libp2p'
import { failed, ok, type Result } from '../model/failure.ts'
import {
  addressDialsMax,
  dialSecondsMax,
  inboundConnectionsPerSecondMax,
  inboundPendingMax,
  neighbourSilenceSecondsMax,
  neighboursMax,
  syncStepSecondsMax,
} from '../model/limits.ts'
import { acquaintance } from './acquaintance.ts'
import type { Gate } from './gate.ts'
import { calmYamux } from './muxer.ts'
import { heedFirstBytes } from './newcomers.ts'
import { noiseCrypto } from './noise-crypto.ts'
import { placeOf } from './places.ts'
import type { GossipOptions } from './port.ts'
import { topicProtocolOptions } from './topic.ts'
import { forgetfulTcp } from './transport.ts'

interface Services extends Record<string, unknown> {
  identify: Identify
  topic: GossipSub
}

export type Swarm = Libp2p<Services>
export type TransportFactory = NonNullable<Libp2pInit['transports']>[number]

export interface SwarmParts {
  readonly privateKey: PrivateKey
  readonly transports: readonly TransportFactory[]
  readonly listen: readonly string[]
  readonly gater: ConnectionGater & Partial<Pick<Gate, 'spoke'>>
}

/** PrivateKeyInfo of an Ed25519 seed up to the seed itself (RFC 8410 section 7). */
const pkcs8Header = Buffer.from('302e020100300506032b657004220420', 'hex')

/**
 * The 32-byte seed as libp2p's key. The public half comes from OpenSSL: in JavaScript it takes 30 ms, a tenth of what
 * a start may take.
 */
export function privateKeyOf(seed: Uint8Array): PrivateKey {
  const key = createPrivateKey({ key: Buffer.concat([pkcs8Header, seed]), format: 'der', type: 'pkcs8' })
  // SubjectPublicKeyInfo ends with the 32 bytes of the key (RFC 8410 section 4).
  const publicKey = createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32)
  return privateKeyFromRaw(Buffer.concat([seed, publicKey]))
}

export function tcpParts(port: number): Pick<SwarmParts, 'transports' | 'listen'> {
  const inactivityTimeout = 2 * neighbourSilenceSecondsMax * 1000
  return {
    transports: [
      forgetfulTcp({
        inboundSocketInactivityTimeout: inactivityTimeout,
        outboundSocketInactivityTimeout: inactivityTimeout,
        // Those that the gate has ended count for a moment longer.
        maxConnections: neighboursMax + 4 * inboundPendingMax,
      }),
    ],
    listen: [`/ip4/0.0.0.0/tcp/${port}`, `/ip6/::/tcp/${port}`],
  }
}

/** Starts a private swarm. Nothing of it is left when it fails. */
export async function startSwarm(options: GossipOptions, parts: SwarmParts): Promise<Result<Swarm>> {
  const swarm = await createSwarm(options, parts)
  try {
    await swarm.start()
    return ok(swarm)
  } catch (error) {
    await swarm.stop()
    return failed(explainStart(options.port, error))
  }
}

async function createSwarm(options: GossipOptions, parts: SwarmParts): Promise<Swarm> {
  return createLibp2p<Services>({
    start: false,
    privateKey: parts.privateKey,
    addresses: {
      listen: [...parts.listen],
      announceFilter: addresses => addresses.filter(address => !isInsideAddress(options, address.toString())),
    },
    transports: [...parts.transports],
    connectionProtector: heedFirstBytes(preSharedKey({ psk: swarmKey(options.networkKey) }), connection =>
      parts.gater.spoke?.(connection),
    ),
    connectionEncrypters: [noise({ crypto: noiseCrypto })],
    // A keepalive of yamux notices a dead neighbour but does nothing about it; sync does both at the same cost.
    streamMuxers: [calmYamux({ enableKeepAlive: false, maxInboundStreams: 32, maxOutboundStreams: 32 })],
    connectionGater: parts.gater,
    connectionMonitor: { enabled: false },
    connectionManager: {
      maxConnections: neighboursMax,
      maxParallelDials: addressDialsMax,
      dialTimeout: dialSecondsMax * 1000,
      addressDialTimeout: dialSecondsMax * 1000,
      inboundUpgradeTimeout: dialSecondsMax * 1000,
      inboundConnectionThreshold: inboundConnectionsPerSecondMax,
      // The gate bounds them, and ends one to make room where libp2p would refuse the next.
      maxIncomingPendingConnections: Number.POSITIVE_INFINITY,
      inboundStreamProtocolNegotiationTimeout: syncStepSecondsMax * 1000,
      // Gossipsub opens its streams one after the other: a neighbour that is stuck holds up the others for so long.
      outboundStreamProtocolNegotiationTimeout: dialSecondsMax * 1000,
      reconnectRetries: 0,
    },
    services: {
      // For those of an older version, which ask.
      identify: identify({ protocolPrefix: 'lnet', maxInboundStreams: 2, runOnConnectionOpen: false }),
      acquaintance: acquaintance(),
      topic: gossipsub(topicProtocolOptions(options.topic)),
    },
  })
}

/** The text form pnet reads: the header of a swarm.key file, then the key. */
function swarmKey(networkKey: Uint8Array): Uint8Array {
  return new TextEncoder().encode(
    `/key/swarm/psk/1.0.0/\n/base16/\n${Buffer.from(networkKey).toString('hex')}`,
  )
}

export function isInsideAddress(options: Pick<GossipOptions, 'isInside'>, address: string): boolean {
  const place = placeOf(address)
  return place !== null && options.isInside(place.host)
}

function explainStart(port: number, error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  if (text.includes('EADDRINUSE'))
    return `TCP port ${port} is in use by another program; set gossip.port in the configuration, or stop that program`
  if (text.includes('EACCES'))
    return `TCP port ${port} may not be opened by this user; set gossip.port to 1024 or above, or run as root`
  const reason = text.replaceAll(/\s+/g, ' ').slice(0, 300)
  return `gossip could not start on TCP port ${port}: ${reason}; see gossip.port in the configuration`
}
