import { keyFingerprint } from '../../mesh/derive.ts'
import {
  compareAddresses,
  compareText,
  type Endpoint,
  type Port,
  type Prefix,
  parseEndpoint,
  parsePort,
  parsePrefix,
} from '../../model/address.ts'
import type { Result } from '../../model/failure.ts'
import type { WireguardPeer, WireguardReading } from '../../model/kernel-state.ts'
import {
  type KeyFingerprint,
  parseWireguardPublicKey,
  parseWireguardSecretKey,
  type WireguardPublicKey,
} from '../../model/wireguard-key.ts'
import { reading, unreadable } from './fields.ts'
import { remembered } from './remembered.ts'

export interface WireguardDump {
  readonly publicKey: WireguardPublicKey | null
  readonly listenPort: Port | null
  /** Both sorted by public key. */
  readonly peers: readonly WireguardPeer[]
  readonly readings: readonly WireguardReading[]
}

/** Reads `wg show IF dump`. The private key is passed over, preshared keys become fingerprints at once. */
export function readWireguardDump(output: string): Result<WireguardDump> {
  return reading('wg show', () => {
    const [device, ...lines] = output.split('\n').filter(line => line !== '')
    const fields = (device ?? '').split('\t')
    if (fields.length !== 4) unreadable(`line 1 has ${fields.length} fields instead of 4`)
    const peers = lines.map((line, index) => readPeer(line, `line ${index + 2}`))
    peers.sort((a, b) => compareText(a.peer.publicKey, b.peer.publicKey))
    return {
      publicKey: readOptional(fields[1], parseWireguardPublicKey, 'the public key of line 1'),
      listenPort: fields[2] === '0' ? null : readPort(fields[2]),
      peers: peers.map(({ peer }) => peer),
      readings: peers.map(({ measured }) => measured),
    }
  })
}

function readPeer(line: string, place: string): { peer: WireguardPeer; measured: WireguardReading } {
  const fields = line.split('\t')
  if (fields.length !== 8) unreadable(`${place} has ${fields.length} fields instead of 8`)
  const [key, preshared, at, allowed, handshake, received, sent, keepalive] = fields
  const publicKey = parseWireguardPublicKey(key ?? '') ?? unreadable(`${place} has no valid public key`)
  const endpoint = readEndpoint(at ?? '')
  const handshakeAt = readCount(handshake, `the handshake of ${place}`)
  return {
    peer: {
      publicKey,
      presharedKey: readOptional(preshared, readFingerprint, `the preshared key of ${place}`),
      endpoint,
      allowedIps: readAllowedIps(allowed ?? '', place),
      keepaliveSeconds: keepalive === 'off' ? 0 : readCount(keepalive, `the keepalive of ${place}`),
    },
    measured: {
      publicKey,
      endpoint,
      handshakeAt: handshakeAt === 0 ? null : handshakeAt,
      receivedBytes: readCount(received, `the received bytes of ${place}`),
      sentBytes: readCount(sent, `the sent bytes of ${place}`),
    },
  }
}

/** The keys it remembers are ones this process derives by itself. */
const readFingerprint = remembered((text): KeyFingerprint | null => {
  const key = parseWireguardSecretKey(text)
  return key === null ? null : keyFingerprint(key)
})

const rememberedEndpoint = remembered(parseEndpoint)
const rememberedPrefix = remembered(parsePrefix)

/** One that cannot be given to anyone else, as a link-local one with its zone, counts as none. */
function readEndpoint(text: string): Endpoint | null {
  return rememberedEndpoint(text)
}

function readAllowedIps(text: string, place: string): readonly Prefix[] {
  if (text === '(none)') return []
  return text
    .split(',')
    .map(item => rememberedPrefix(item) ?? unreadable(`${place} has a malformed allowed address`))
    .sort(compareAddresses)
}

function readPort(text: string | undefined): Port {
  return parsePort(readCount(text, 'the port of line 1')) ?? unreadable('line 1 has no valid port')
}

function readOptional<Value>(
  text: string | undefined,
  parse: (text: string) => Value | null,
  what: string,
): Value | null {
  return text === '(none)' ? null : (parse(text ?? '') ?? unreadable(`${what} is malformed`))
}

function readCount(text: string | undefined, what: string): number {
  const value = /^\d{1,19}$/.test(text ?? '') ? Number(text) : Number.NaN
  return Number.isNaN(value) ? unreadable(`${what} is no number`) : value
}
