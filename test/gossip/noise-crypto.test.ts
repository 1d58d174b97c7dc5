import { pureJsCrypto } from '@libp2p/noise'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { noiseCrypto } from '../../src/gossip/noise-crypto.ts'

it("derives the keys that noise's own function does", () => {
  const chainingKey = fc.uint8Array({ minLength: 32, maxLength: 32 })
  const material = fc.uint8Array({ maxLength: 32 })
  fc.assert(
    fc.property(chainingKey, material, (key, input) => {
      expect(noiseCrypto.getHKDF(key, input)).toEqual(pureJsCrypto.getHKDF(key, input))
    }),
  )
})
