import { digest } from '../../src/mesh/derive.ts'
import {
  type HostPort,
  type InterfaceName,
  type IpAddress,
  type Port,
  parseIpAddress,
} from '../../src/model/address.ts'
import type { Configuration } from '../../src/model/configuration.ts'
import { forgetAfterSecondsDefault } from '../../src/model/limits.ts'
import { type NodeId, type NodeName, parseNodeId } from '../../src/model/node.ts'
import { parseWireguardPublicKey, type WireguardPublicKey } from '../../src/model/wireguard-key.ts'
import { configuration, segmentConfiguration, sure, tunnelConfiguration } from '../mesh/world.ts'

export interface NodeOptions {
  /** Names of nodes it is told of, running or not. */
  readonly bootstrap?: string | readonly string[]
  /** On the side of the partition this node is on. */
  readonly near?: string
  readonly tunnel?: Partial<Configuration['tunnel']>
  readonly segment?: Partial<Configuration['segments'][number]>
  readonly heartbeatSeconds?: number
  readonly forgetAfterSeconds?: number
  readonly pathMtu?: number
  readonly clockOffsetSeconds?: number
  readonly clockRate?: number
  /** Addresses it announces where nothing answers, ahead of the good one. */
  readonly deadAddresses?: number
}

/** `a`, `b`, ... `z`, `a1`, `b1`, ... */
export function names(count: number): string[] {
  return Array.from({ length: count }, (_, index) => {
    const round = Math.floor(index / 26)
    return `${String.fromCharCode(97 + (index % 26))}${round === 0 ? '' : round}`
  })
}

/** The interface of every segment here. */
export const segmentInterface = 'vlnet0' as InterfaceName

export function nodeIdOf(seed: string, name: string): NodeId {
  const base58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
  const bytes = [...digest('sim node', seed, name), ...digest('sim node again', seed, name)]
  const text = bytes.slice(0, 44).map(byte => base58[byte % 58])
  return sure(parseNodeId(`12D3KooW${text.join('')}`))
}

export function publicKeyOf(seed: string, name: string): WireguardPublicKey {
  return sure(parseWireguardPublicKey(Buffer.from(digest('sim key', seed, name)).toString('base64')))
}

/** In networks of 200, so that some are on one LAN. */
export function underlayAddress(number: number): IpAddress {
  return sure(parseIpAddress(`198.18.${Math.floor(number / 200)}.${1 + (number % 200)}`))
}

/** Announced, and nobody is there: the nth of a machine. */
export function deadAddress(machine: number, index: number): IpAddress {
  return sure(parseIpAddress(`198.19.${machine >> 8}.${((machine & 255) + 7 * (index + 1)) & 255}`))
}

export function configurationOf(
  name: string,
  bootstrap: readonly string[],
  options: NodeOptions,
): Configuration {
  return configuration(0, {
    name: name as NodeName,
    bootstrap: bootstrap.map(other => ({ kind: 'host', place: `${other}.test:51821` as HostPort })),
    gossip: { port: 51_821 as Port, heartbeatSeconds: options.heartbeatSeconds ?? 60 },
    forgetAfterSeconds: options.forgetAfterSeconds ?? forgetAfterSecondsDefault,
    tunnel: tunnelConfiguration(options.tunnel),
    segments: [segmentConfiguration(options.segment)],
  })
}
