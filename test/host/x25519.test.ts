import { createPublicKey, diffieHellman, createPrivateKey as openPrivateKey } from 'node:crypto'
import { scalarMultBase, sharedKey } from '@stablelib/x25519'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { publicKeyBytes } from '../../src/host/public-key.ts'
import { createPrivateKey, unusableKeys } from '../../src/host/x25519.ts'
import type { WireguardPublicKey } from '../../src/model/wireguard-key.ts'

const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 })

/** RFC 7748 section 6.1. */
const [alice, bob] = [
  {
    secret: '77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a',
    public: '8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a',
  },
  {
    secret: '5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb',
    public: 'de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f',
  },
]
const shared = '4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742'

/** RFC 7748 section 5.2: scalar, u-coordinate, result. */
const products = [
  [
    'a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4',
    'e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c',
    'c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552',
  ],
  [
    '4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d',
    'e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493',
    '95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957',
  ],
] as const

/** Every u-coordinate of order 1, 2, 4 or 8, on the curve or its twist, also as p + u where that fits into 255 bits. */
const lowOrder = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
]

describe('the derivation of public keys by OpenSSL', () => {
  it('is that of RFC 7748', () => {
    for (const pair of [alice, bob]) {
      expect(hex(publicKeyBytes('x25519', bytes(pair?.secret)))).toBe(pair?.public)
      expect(hex(scalarMultBase(bytes(pair?.secret)))).toBe(pair?.public)
    }
  })

  it('is that of the library for any 32 bytes, clamped or not', () => {
    fc.assert(
      fc.property(bytes32, secret => {
        expect(hex(publicKeyBytes('x25519', secret))).toBe(hex(scalarMultBase(secret)))
      }),
      { numRuns: 200 },
    )
  })
})

describe('the library', () => {
  it('computes what RFC 7748 says', () => {
    for (const [scalar, point, product] of products)
      expect(hex(sharedKey(bytes(scalar), bytes(point)))).toBe(product)
    expect(hex(sharedKey(bytes(alice?.secret), bytes(bob?.public), true))).toBe(shared)
    expect(hex(sharedKey(bytes(bob?.secret), bytes(alice?.public), true))).toBe(shared)
  })

  it('makes private keys of 32 bytes, another each time', async () => {
    const keys = await Promise.all([createPrivateKey(), createPrivateKey()])
    for (const key of keys) expect(key).toHaveLength(32)
    expect(hex(keys[0])).not.toBe(hex(keys[1]))
  })
})

describe('a public key without a handshake', () => {
  it.each(lowOrder.flatMap(point => [point, withHighBit(point)]))('is refused: %s', async point => {
    const key = base64(bytes(point))
    expect([...(await unusableKeys([key]))]).toEqual([key])
  })

  it('is what OpenSSL refuses too, near every such point', async () => {
    for (const point of lowOrder)
      for (let byte = 0; byte < 32; byte += 5) {
        const near = bytes(point)
        near[byte] = (near[byte] as number) ^ (1 << (byte % 7))
        expect((await unusableKeys([base64(near)])).size === 0).toBe(isTakenByOpenssl(near))
      }
  })

  it('is no ordinary one', async () => {
    const keys = Array.from({ length: 20 }, (_, index) =>
      base64(publicKeyBytes('x25519', new Uint8Array(32).fill(index))),
    )
    expect(await unusableKeys(keys)).toEqual(new Set())
    expect(await unusableKeys([...keys, base64(new Uint8Array(32))])).toEqual(
      new Set([base64(new Uint8Array(32))]),
    )
  })
})

function isTakenByOpenssl(point: Uint8Array): boolean {
  const key = (header: string, raw: Uint8Array) => Buffer.concat([Buffer.from(header, 'hex'), raw])
  // RFC 8410 sections 4 and 7.
  const publicKey = createPublicKey({
    key: key('302a300506032b656e032100', point),
    format: 'der',
    type: 'spki',
  })
  const pkcs8 = key('302e020100300506032b656e04220420', bytes(alice?.secret))
  const privateKey = openPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' })
  try {
    return diffieHellman({ privateKey, publicKey }).length === 32
  } catch {
    return false
  }
}

function withHighBit(point: string): string {
  const high = bytes(point)
  high[31] = (high[31] as number) | 0x80
  return hex(high)
}

function bytes(text = ''): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'hex'))
}

function hex(value: Uint8Array): string {
  return Buffer.from(value).toString('hex')
}

function base64(value: Uint8Array): WireguardPublicKey {
  return Buffer.from(value).toString('base64') as WireguardPublicKey
}
