import { randomBytes } from 'node:crypto'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { RecordEnvelope } from '@libp2p/peer-record'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { announcementDomain, openEnvelope, sealEnvelope } from '../../src/gossip/envelope.ts'
import { privateKeyOf } from '../../src/gossip/swarm.ts'
import { announcementBytesMax, envelopeBytesMax } from '../../src/model/limits.ts'

const key = privateKeyOf(randomBytes(32))
const payload = new TextEncoder().encode('facts')

describe('an envelope', () => {
  it('gives the author and the payload back', async () => {
    const opening = await openEnvelope(await sealEnvelope(key, payload))
    const author = peerIdFromPrivateKey(key).toString()
    expect(opening).toEqual({ ok: true, opened: { author, payload } })
  })

  it('has room for the largest announcement', async () => {
    const envelope = await sealEnvelope(key, randomBytes(announcementBytesMax))
    expect(envelope.length).toBeLessThanOrEqual(envelopeBytesMax)
    expect((await openEnvelope(envelope)).ok).toBe(true)
  })

  it('is refused with any byte changed', async () => {
    const envelope = await sealEnvelope(key, payload)
    for (let index = 0; index < envelope.length; index += 1) {
      const changed = envelope.slice()
      changed[index] = (changed[index] ?? 0) ^ 0x01
      expect((await openEnvelope(changed)).ok, `byte ${index}`).toBe(false)
    }
  })

  it('is refused when something is added to it', async () => {
    const envelope = await sealEnvelope(key, payload)
    // A field the format does not know: the signature would still hold.
    const longer = Uint8Array.from([...envelope, 0x7a, 0x01, 0x00])
    expect(await openEnvelope(longer)).toEqual({ ok: false, reason: 'malformed' })
  })

  it('is refused when it was signed for another purpose', async () => {
    const type = new TextEncoder().encode(announcementDomain)
    const record = { codec: type, marshal: () => payload, equals: () => false }
    const other = await RecordEnvelope.seal({ ...record, domain: 'libp2p-peer-record' }, key)
    expect(await openEnvelope(other.marshal())).toEqual({ ok: false, reason: 'bad-signature' })
    const otherType = await RecordEnvelope.seal(
      { ...record, domain: announcementDomain, codec: new Uint8Array([3, 1]) },
      key,
    )
    expect(await openEnvelope(otherType.marshal())).toEqual({ ok: false, reason: 'malformed' })
  })

  it('is refused when the key is not Ed25519', async () => {
    const envelope = await sealEnvelope(await generateKeyPair('secp256k1'), payload)
    expect(await openEnvelope(envelope)).toEqual({ ok: false, reason: 'malformed' })
  })

  it('is refused when it is too long', async () => {
    const opening = await openEnvelope(new Uint8Array(envelopeBytesMax + 1))
    expect(opening).toEqual({ ok: false, reason: 'oversized' })
  })

  it('is a verdict for any bytes, never an exception', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), async bytes => {
        expect((await openEnvelope(bytes)).ok).toBe(false)
      }),
      { numRuns: 3000 },
    )
  })
})
