import type { Brand } from './brand.ts'

/** A Curve25519 public key as `wg` writes it: base64 of 32 bytes, 44 characters. */
export type WireguardPublicKey = Brand<string, 'WireguardPublicKey'>
/** A key that must never leave the keyring and the kernel adapter. */
export type WireguardSecretKey = Brand<string, 'WireguardSecretKey'>
/** Tells two preshared keys apart without holding either: 16 hexadecimal digits of SHA-256. */
export type KeyFingerprint = Brand<string, 'KeyFingerprint'>

/** 43 digits and a pad; the last digit carries 4 bits, so that only 16 digits can stand there. */
const keyPattern = /^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/

export function parseWireguardPublicKey(text: string): WireguardPublicKey | null {
  return keyPattern.test(text) ? (text as WireguardPublicKey) : null
}

export function parseWireguardSecretKey(text: string): WireguardSecretKey | null {
  return keyPattern.test(text) ? (text as WireguardSecretKey) : null
}
