import { hkdfSync } from 'node:crypto'
import type { Configuration } from '../model/configuration.ts'
import { failed, ok, type Result } from '../model/failure.ts'
import { keyFileBytesMax, membersMax } from '../model/limits.ts'
import type { MeshId } from '../model/node.ts'
import {
  parseWireguardPublicKey,
  type WireguardPublicKey,
  type WireguardSecretKey,
} from '../model/wireguard-key.ts'
import { isOpenToOthers, readWhole } from './files.ts'

/** What hangs on the mesh secret. */
export interface MeshKeys {
  /** 32 bytes: the libp2p private-network key. */
  readonly networkKey: Uint8Array
  readonly meshId: MeshId
  /** 32 bytes: by which nodes know each other's loop probes. */
  readonly probeKey: Uint8Array
  /** The same for both nodes of a pair, and another for every other pair. */
  presharedKey(a: WireguardPublicKey, b: WireguardPublicKey): WireguardSecretKey
}

/** The 32 bytes every node of the mesh shares, from the secret file or as `loadConfiguration` found them inline. */
export async function readMeshSecret(
  configuration: Configuration,
  inlineSecret: string | null,
): Promise<Result<Uint8Array>> {
  const { secret } = configuration.mesh
  if (secret.kind === 'file') return readSecretFile(secret.path)
  const bytes = parseMeshSecret(inlineSecret ?? '')
  return bytes === null
    ? failed('mesh.secret is not the base64 of 32 bytes', { remedy: 'make one with `wg genpsk`' })
    : ok(bytes)
}

/** Refuses a file that others may read. */
export async function readSecretFile(path: string): Promise<Result<Uint8Array>> {
  const read = await readWhole(path, keyFileBytesMax)
  if (!read.ok) return read
  if (read.value === null)
    return failed(`there is no secret file ${path}`, {
      remedy: `run \`lnetctl init\` or \`lnetctl join\`, or copy it from another node`,
    })
  const { bytes, mode } = read.value
  if (isOpenToOthers(mode))
    return failed(`the secret file ${path} is open to others`, {
      why: `mode ${modeText(mode)}`,
      remedy: `run \`chmod 600 ${path}\``,
    })
  const secret = parseMeshSecret(Buffer.from(bytes).toString('latin1').trim())
  return secret === null
    ? failed(`the secret file ${path} is not the base64 of 32 bytes`, {
        remedy: 'copy it again from another node',
      })
    : ok(secret)
}

/** Canonical base64 of 32 bytes, as `wg genpsk` and `lnetctl init` write it. */
export function parseMeshSecret(text: string): Uint8Array | null {
  // The text of a WireGuard key is exactly that of any 32 bytes.
  return parseWireguardPublicKey(text) === null ? null : new Uint8Array(Buffer.from(text, 'base64'))
}

export function formatMeshSecret(secret: Uint8Array): string {
  return Buffer.from(secret).toString('base64')
}

/** HKDF-SHA256 (RFC 5869) with a label for each use, so that no key tells anything about another. */
export function deriveMeshKeys(secret: Uint8Array, configuredId: MeshId | null): MeshKeys {
  const presharedKeys = new Map<string, WireguardSecretKey>()
  const meshId = configuredId ?? deriveMeshId(secret)
  return {
    networkKey: derive(secret, 'private network', 32),
    meshId,
    probeKey: derive(secret, `loop probe ${meshId}`, 32),
    presharedKey(a, b) {
      const pair = a < b ? `${a} ${b}` : `${b} ${a}`
      const known = presharedKeys.get(pair)
      if (known !== undefined) return known
      const key = Buffer.from(derive(secret, `preshared key ${pair}`, 32)).toString(
        'base64',
      ) as WireguardSecretKey
      if (presharedKeys.size >= membersMax) presharedKeys.clear()
      presharedKeys.set(pair, key)
      return key
    },
  }
}

/** The id of a mesh that was given none. */
export function deriveMeshId(secret: Uint8Array): MeshId {
  return Buffer.from(derive(secret, 'mesh id', 16)).toString('hex') as MeshId
}

export function modeText(mode: number): string {
  return (mode & 0o777).toString(8).padStart(4, '0')
}

function derive(secret: Uint8Array, label: string, length: number): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secret, new Uint8Array(), `lnet/1/${label}`, length))
}
