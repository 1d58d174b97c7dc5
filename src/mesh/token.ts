import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import { encode } from 'cborg'
import {
  type InterfaceName,
  type Port,
  type Prefix,
  parseInterfaceName,
  parsePort,
  parsePrefix,
} from '../model/address.ts'
import { formatBootstrapPlace, parseBootstrapPlace } from '../model/bootstrap.ts'
import type { BootstrapPlace } from '../model/configuration.ts'
import { failed, ok, type Result } from '../model/failure.ts'
import {
  overlayAddressesPerSegmentMax,
  segmentsPerMemberMax,
  tokenBootstrapPlacesMax,
  tokenCharactersMax,
} from '../model/limits.ts'
import { type MeshId, parseMeshId } from '../model/node.ts'
import { parseVni, type Vni } from '../model/segment.ts'
import { decodeMap, readList, readText } from './cbor.ts'

/** All a new node has to know of a mesh. Holds the mesh secret: whoever has it is in. */
export interface JoinToken {
  readonly mesh: MeshId
  /** 32 bytes. */
  readonly secret: Uint8Array
  /** Whom to ask first, best first. */
  readonly bootstrap: readonly BootstrapPlace[]
  /** Null: automatic. */
  readonly tunnelPrefix: Prefix | null
  readonly segments: readonly TokenSegment[]
}

export interface TokenSegment {
  readonly interface: InterfaceName
  readonly vni: Vni
  readonly port: Port
  readonly prefixes: readonly Prefix[]
}

/** One word to copy: `lnet1-` and base64url of the CBOR with a checksum. Fails when it would be too long to be copied. */
export function encodeToken(token: JoinToken): Result<string> {
  const payload = encode(
    new Map<number, unknown>([
      [field.mesh, token.mesh],
      [field.secret, token.secret],
      [field.bootstrap, token.bootstrap.slice(0, tokenBootstrapPlacesMax).map(formatBootstrapPlace)],
      [field.tunnelPrefix, token.tunnelPrefix],
      [
        field.segments,
        token.segments.map(({ interface: name, vni, port, prefixes }) => [name, vni, port, prefixes]),
      ],
    ]),
  )
  const text = `${tokenPrefix}${toBase64url(concatBytes(payload, checksum(payload)))}`
  return text.length > tokenCharactersMax
    ? failed('the token would be too long', { remedy: 'leave out bootstrap places or segments' })
    : ok(text)
}

/** Reads what people paste: spaces and line breaks do not matter. Never throws, and never shows the token. */
export function decodeToken(pasted: string): Result<JoinToken> {
  if (pasted.length > 2 * tokenCharactersMax)
    return failed('this is far too long for a token', { remedy: 'copy the token alone' })
  const text = pasted.replaceAll(/\s+/g, '')
  if (!text.startsWith(tokenPrefix))
    return /^lnet\d+-/.test(text)
      ? failed('the token was made by a newer lnetd', { remedy: 'upgrade lnetd here' })
      : failed('this is no token', {
          why: `one begins with ${tokenPrefix}`,
          remedy: 'run `lnetctl token` on a member',
        })
  const bytes = fromBase64url(text.slice(tokenPrefix.length))
  if (bytes === null || !isWhole(bytes))
    return failed('the token was cut short or mistyped', { remedy: 'copy the whole of it again' })
  const token = readToken(bytes.subarray(0, -checksumBytes))
  return token === null
    ? failed('the token holds what this lnetd does not know', { remedy: 'upgrade lnetd here' })
    : ok(token)
}

/** A text without the tokens in it, for what is shown or logged. */
export function withoutTokens(text: string): string {
  return text.replaceAll(/\b(lnet\d+-)[\w-]+/g, '$1...')
}

const tokenPrefix = 'lnet1-'
const checksumBytes = 4
const field = { mesh: 0, secret: 1, bootstrap: 2, tunnelPrefix: 3, segments: 4 } as const

function readToken(payload: Uint8Array): JoinToken | null {
  const map = decodeMap(payload)
  if (map === null) return null
  const mesh = readText(map.get(field.mesh), parseMeshId)
  const secret: unknown = map.get(field.secret)
  const bootstrap = readList(map.get(field.bootstrap), readPlace)
  const prefix: unknown = map.get(field.tunnelPrefix)
  const tunnelPrefix = readText(prefix, parsePrefix)
  const segments = readList(map.get(field.segments), readSegment)
  if (mesh === null || !(secret instanceof Uint8Array) || secret.length !== 32) return null
  if (bootstrap === null || bootstrap.length > tokenBootstrapPlacesMax) return null
  if (segments === null || segments.length > segmentsPerMemberMax) return null
  if (prefix !== null && tunnelPrefix === null) return null
  return { mesh, secret, bootstrap, tunnelPrefix, segments }
}

function readPlace(value: unknown): BootstrapPlace | null {
  return typeof value === 'string' ? parseBootstrapPlace(value) : null
}

function readSegment(value: unknown): TokenSegment | null {
  if (!Array.isArray(value)) return null
  const name = readText(value[0], parseInterfaceName)
  const vni = parseVni(value[1])
  const port = parsePort(value[2])
  const prefixes = readList(value[3], item => readText(item, parsePrefix))
  if (name === null || vni === null || port === null || prefixes === null) return null
  return prefixes.length > overlayAddressesPerSegmentMax ? null : { interface: name, vni, port, prefixes }
}

function isWhole(bytes: Uint8Array): boolean {
  const expected = checksum(bytes.subarray(0, -checksumBytes))
  return expected.every((byte, index) => byte === bytes.at(index - checksumBytes))
}

function checksum(payload: Uint8Array): Uint8Array {
  return sha256(concatBytes(utf8ToBytes('lnet/1/token'), payload)).subarray(0, checksumBytes)
}

function toBase64url(bytes: Uint8Array): string {
  const text = btoa(String.fromCharCode(...bytes))
  return text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

/** Null unless the text is exactly what `toBase64url` makes. */
function fromBase64url(text: string): Uint8Array | null {
  if (!/^[A-Za-z0-9_-]+$/.test(text) || text.length % 4 === 1) return null
  const bytes = Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), character =>
    character.charCodeAt(0),
  )
  return toBase64url(bytes) === text ? bytes : null
}
