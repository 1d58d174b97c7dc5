import { ok, type Result } from '../model/failure.ts'
import { parseWireguardPublicKey } from '../model/wireguard-key.ts'
import { loadConfiguration, refusedConfiguration } from './config.ts'
import { openKeyring } from './keyring.ts'
import { deriveMeshKeys, readMeshSecret } from './secret.ts'

export interface OwnKeys {
  readonly privateKey: string
  presharedKey(publicKey: string): string
}

/** The WireGuard keys of the node that a configuration makes: its own, and what it shares with each other node. */
export async function readOwnKeys(configPath: string): Promise<Result<OwnKeys>> {
  const loaded = await loadConfiguration(configPath)
  if (!loaded.ok) return refusedConfiguration(configPath, loaded.problems)
  const { configuration, inlineSecret } = loaded
  const secret = await readMeshSecret(configuration, inlineSecret)
  if (!secret.ok) return secret
  const keyring = await openKeyring(configuration.stateDir)
  if (!keyring.ok) return keyring
  const { privateKey, publicKey: own } = keyring.value
  const mesh = deriveMeshKeys(secret.value, configuration.mesh.id)
  return ok({
    privateKey,
    presharedKey(text) {
      const other = parseWireguardPublicKey(text)
      if (other === null) throw new RangeError(`${text} is no public key`)
      return mesh.presharedKey(own, other)
    },
  })
}
