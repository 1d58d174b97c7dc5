import ipaddr from 'ipaddr.js'
import { parsedAddressesCachedMax } from './limits.ts'

const bytesCache = new Map<string, Uint8Array>()

/**
 * The 4 or 16 bytes of an address in canonical text. Shared: never write to them. Parsing dominates sorting and
 * matching in a large mesh, and the same few addresses come up again and again, so they are kept.
 */
export function addressBytes(address: string): Uint8Array {
  const known = bytesCache.get(address)
  if (known !== undefined) return known
  const bytes = Uint8Array.from(ipaddr.parse(address).toByteArray())
  if (bytesCache.size >= parsedAddressesCachedMax) bytesCache.clear()
  bytesCache.set(address, bytes)
  return bytes
}

/** True for addresses in canonical text whose bytes are at hand; anything else may still be one. */
export function isKnownAddress(text: string): boolean {
  return bytesCache.has(text)
}

/** Shorter first, so that IPv4 comes before IPv6. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  if (a.length !== b.length) return a.length - b.length
  for (let index = 0; index < a.length; index += 1) {
    const difference = (a[index] as number) - (b[index] as number)
    if (difference !== 0) return difference
  }
  return 0
}

/** The network's part of the byte at `index` in a prefix of `length` bits. */
export function networkMask(length: number, index: number): number {
  const bits = Math.min(8, Math.max(0, length - index * 8))
  return (0xff << (8 - bits)) & 0xff
}
