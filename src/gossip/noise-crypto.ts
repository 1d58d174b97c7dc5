import { hkdfSync } from 'node:crypto'
import type { ICryptoInterface } from '@libp2p/noise'
import { defaultCrypto } from '@libp2p/noise/crypto'

const okmBytes = 96
const keyBytes = 32

/**
 * Noise's own functions, but HKDF (RFC 5869) from OpenSSL: in JavaScript it was a fifth of a handshake, which derives
 * keys eight times.
 */
export const noiseCrypto: ICryptoInterface = {
  ...defaultCrypto,
  getHKDF(chainingKey, material) {
    const okm = new Uint8Array(hkdfSync('sha256', material, chainingKey, new Uint8Array(0), okmBytes))
    const key = (index: number) => okm.subarray(index * keyBytes, (index + 1) * keyBytes)
    return [key(0), key(1), key(2)]
  },
}
