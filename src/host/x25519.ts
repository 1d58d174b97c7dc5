import type { WireguardPublicKey } from '../model/wireguard-key.ts'

/**
 * X25519 (RFC 7748) by the library that the project names. Loaded when it is used: with its first multiplication it costs
 * 30 ms, and an ordinary start needs none. Public halves of known keys come from OpenSSL, see public-key.ts.
 */
const library = () => import('@stablelib/x25519')

/** A new private key, 32 random bytes. WireGuard, like RFC 7748 section 5, ignores the five bits that `wg genkey` fixes. */
export async function createPrivateKey(): Promise<Uint8Array> {
  const { generateKeyPair } = await library()
  return generateKeyPair().secretKey
}

/**
 * Those of some public keys that no handshake can succeed with: points of low order, whose shared key is zero with every
 * private key (RFC 7748 section 6.1), in any of their encodings. Lets other work run between two keys: one takes 10 ms
 * where V8 does not optimise.
 */
export async function unusableKeys(
  keys: readonly WireguardPublicKey[],
): Promise<ReadonlySet<WireguardPublicKey>> {
  const unknown = keys.filter(key => !usable.has(key))
  if (unknown.length === 0) return new Set()
  const { sharedKey } = await library()
  const refused = new Set<WireguardPublicKey>()
  for (const key of new Set(unknown)) {
    if (isRefused(sharedKey, key)) refused.add(key)
    else if (usable.size < usableKeysMax) usable.add(key)
    await new Promise(resolve => setImmediate(resolve))
  }
  return refused
}

/** Checked before: a reload asks about the same keys again. */
const usable = new Set<WireguardPublicKey>()
const usableKeysMax = 1024

/** Any private key finds a point of low order: clamping makes it a multiple of the cofactor. */
const anyPrivateKey = new Uint8Array(32).fill(1)

function isRefused(sharedKey: typeof import('@stablelib/x25519').sharedKey, key: WireguardPublicKey) {
  try {
    sharedKey(anyPrivateKey, Buffer.from(key, 'base64'), true)
    return false
  } catch {
    return true
  }
}
