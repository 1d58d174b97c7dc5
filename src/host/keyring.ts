import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { failed, ok, type Result } from '../model/failure.ts'
import { keyFileBytesMax } from '../model/limits.ts'
import type { NodeId } from '../model/node.ts'
import {
  parseWireguardSecretKey,
  type WireguardPublicKey,
  type WireguardSecretKey,
} from '../model/wireguard-key.ts'
import { createWhole, isOpenToOthers, makeDirectory, readWhole } from './files.ts'
import { nodeIdFromSeed } from './node-id.ts'
import { publicKeyBytes } from './public-key.ts'
import type { SavedKeys } from './saved-state.ts'
import { type MeshKeys, modeText } from './secret.ts'
import { createPrivateKey } from './x25519.ts'

/** This node's own keys. Never logged, never announced but for the public ones. */
export interface Keyring {
  /** 32 bytes: the Ed25519 seed. */
  readonly identitySeed: Uint8Array
  readonly node: NodeId
  readonly privateKey: WireguardSecretKey
  readonly publicKey: WireguardPublicKey
  /** Key files that were made now. */
  readonly created: readonly string[]
}

/** What the kernel adapter needs to know and must never show. */
export interface TunnelSecrets {
  readonly privateKey: WireguardSecretKey
  presharedKey(publicKey: WireguardPublicKey): WireguardSecretKey
}

/** Where the Ed25519 seed is kept. */
export function identityKeyFile(stateDir: string): string {
  return join(stateDir, 'identity.key')
}

/** Where WireGuard's private key is kept. */
export function wireguardKeyFile(stateDir: string): string {
  return join(stateDir, 'wireguard.key')
}

/**
 * Reads `identity.key` and `wireguard.key` of the state directory, and makes those that are not there. A key file
 * that cannot be used is a failure: a node never becomes another one by itself.
 */
export async function openKeyring(stateDir: string): Promise<Result<Keyring>> {
  const directory = await makeDirectory(stateDir, 0o700)
  if (!directory.ok) return directory
  const identity = await openKey(identityKeyFile(stateDir), () => randomBytes(32))
  if (!identity.ok) return identity
  const wireguard = await openKey(wireguardKeyFile(stateDir), createPrivateKey)
  if (!wireguard.ok) return wireguard
  return ok({
    identitySeed: identity.value.key,
    node: nodeIdFromSeed(identity.value.key),
    privateKey: base64(wireguard.value.key) as WireguardSecretKey,
    publicKey: base64(publicKeyBytes('x25519', wireguard.value.key)) as WireguardPublicKey,
    created: [identity.value, wireguard.value].filter(({ created }) => created).map(({ path }) => path),
  })
}

/**
 * Refuses keys that are not those the state was saved with: what a bad disk gives back for a key is a key as well, of
 * another node. A key that was just made is another one on purpose.
 */
export function matchKeys(stateDir: string, keyring: Keyring, saved: SavedKeys | null): Result<void> {
  if (saved === null) return ok(undefined)
  const differing = [
    ...(keyring.node === saved.node ? [] : [identityKeyFile(stateDir)]),
    ...(keyring.publicKey === saved.publicKey ? [] : [wireguardKeyFile(stateDir)]),
  ].filter(path => !keyring.created.includes(path))
  const [path] = differing
  if (path === undefined) return ok(undefined)
  return failed(`${path} holds another key than before`, {
    remedy: `restore it from a backup, or remove ${join(stateDir, 'state.json')} where the other key is meant`,
  })
}

export function tunnelSecrets(keyring: Keyring, mesh: MeshKeys): TunnelSecrets {
  return {
    privateKey: keyring.privateKey,
    presharedKey: publicKey => mesh.presharedKey(keyring.publicKey, publicKey),
  }
}

interface OpenedKey {
  readonly path: string
  readonly key: Uint8Array
  readonly created: boolean
}

async function openKey(
  path: string,
  make: () => Uint8Array | Promise<Uint8Array>,
): Promise<Result<OpenedKey>> {
  const found = await readKey(path)
  if (!found.ok) return found
  if (found.value !== null) return ok({ path, key: found.value, created: false })
  const created = await createWhole(path, Buffer.from(`${base64(await make())}\n`), 0o600)
  if (!created.ok) return created
  const reread = await readKey(path)
  if (!reread.ok) return reread
  return reread.value === null
    ? failed(`the key file ${path} vanished while it was made`, { remedy: 'start again' })
    : ok({ path, key: reread.value, created: created.value })
}

async function readKey(path: string): Promise<Result<Uint8Array | null>> {
  const read = await readWhole(path, keyFileBytesMax)
  if (!read.ok) return failed(read.failure.what, read.failure)
  if (read.value === null) return ok(null)
  const { bytes, mode } = read.value
  if (isOpenToOthers(mode))
    return failed(`the key file ${path} is open to others`, {
      why: `mode ${modeText(mode)}`,
      remedy: `run \`chmod 600 ${path}\``,
    })
  const key = parseWireguardSecretKey(Buffer.from(bytes).toString('latin1').trim())
  return key === null
    ? failed(`the key file ${path} is damaged`, {
        remedy:
          'restore it from a backup, or remove it to have a new key made and this node known as a new one',
      })
    : ok(new Uint8Array(Buffer.from(key, 'base64')))
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}
