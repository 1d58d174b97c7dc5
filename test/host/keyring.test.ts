import { createPrivateKey, createPublicKey } from 'node:crypto'
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { matchKeys, openKeyring, tunnelSecrets } from '../../src/host/keyring.ts'
import { nodeIdFromSeed } from '../../src/host/node-id.ts'
import { deriveMeshKeys } from '../../src/host/secret.ts'
import { sentenceOf } from '../../src/model/explanation.ts'
import { parseWireguardPublicKey } from '../../src/model/wireguard-key.ts'
import { testDirectory } from './directory.ts'

describe('a node id', () => {
  it('is the libp2p peer id of the same seed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 32, maxLength: 32 }), async seed => {
        const key = await generateKeyPairFromSeed('Ed25519', seed)
        expect(nodeIdFromSeed(seed)).toBe(peerIdFromPrivateKey(key).toString())
      }),
      { numRuns: 25 },
    )
  })
})

describe('the keyring', () => {
  it('makes both keys once, for the owner alone', async () => {
    const directory = join(testDirectory(), 'state')
    const first = await open(directory)
    expect(first.created).toEqual([join(directory, 'identity.key'), join(directory, 'wireguard.key')])
    expect(readdirSync(directory).sort()).toEqual(['identity.key', 'wireguard.key'])
    expect(modeOf(directory)).toBe(0o700)
    for (const path of first.created) expect(modeOf(path)).toBe(0o600)
    expect(await open(directory)).toEqual({ ...first, created: [] })
  })

  it('finds the public key that OpenSSL finds', async () => {
    const { privateKey, publicKey } = await open(testDirectory())
    // PrivateKeyInfo of an X25519 key (RFC 8410 section 7).
    const header = Buffer.from('302e020100300506032b656e04220420', 'hex')
    const der = Buffer.concat([header, Buffer.from(privateKey, 'base64')])
    const spki = createPublicKey(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }))
    expect(publicKey).toBe(spki.export({ format: 'der', type: 'spki' }).subarray(-32).toString('base64'))
  })

  it('takes a key of wg genkey, and one whose ignored bits are set', async () => {
    const directory = testDirectory()
    const { privateKey, publicKey } = await open(directory)
    const clamped = Buffer.from(privateKey, 'base64')
    clamped[0] = (clamped[0] as number) & 0xf8
    clamped[31] = ((clamped[31] as number) & 0x7f) | 0x40
    writeFileSync(join(directory, 'wireguard.key'), clamped.toString('base64'))
    expect((await open(directory)).publicKey).toBe(publicKey)
  })

  it.each(['identity.key', 'wireguard.key'])('is never another one for a flipped bit in %s', async name => {
    const directory = testDirectory()
    const keys = await open(directory)
    const file = join(directory, name)
    const bytes = readFileSync(file)
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const flipped = Buffer.from(bytes)
      flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7))
      writeFileSync(file, flipped)
      const opened = await openKeyring(directory)
      if (!opened.ok) expect(sentenceOf(opened.failure)).toContain(file)
      else if (opened.value.node === keys.node && opened.value.publicKey === keys.publicKey) continue
      else
        expect(matchKeys(directory, opened.value, keys)).toMatchObject({
          ok: false,
          failure: {
            what: expect.stringMatching(`^${file} holds another key than before`),
            remedy: expect.stringContaining('restore it'),
          },
        })
    }
  })

  it('is another one where that is meant', async () => {
    const directory = testDirectory()
    const before = await open(directory)
    expect(matchKeys(directory, await open(directory), before)).toEqual({ ok: true })
    expect(matchKeys(directory, await open(directory), null)).toEqual({ ok: true })
    rmSync(join(directory, 'identity.key'))
    expect(matchKeys(directory, await open(directory), before)).toEqual({ ok: true })
  })

  it('is one keyring for two that open it at once', async () => {
    const directory = testDirectory()
    const [a, b] = await Promise.all([open(directory), open(directory)])
    expect(a.node).toBe(b.node)
    expect(a.publicKey).toBe(b.publicKey)
  })

  it.each(['identity.key', 'wireguard.key'])('refuses a damaged %s and leaves it as it is', async name => {
    for (const damage of [
      (path: string) => truncateSync(path, 0),
      (path: string) => truncateSync(path, 20),
      (path: string) => writeFileSync(path, Buffer.alloc(64, 0xff)),
      (path: string) => writeFileSync(path, 'A'.repeat(10_000)),
    ]) {
      const directory = testDirectory()
      await open(directory)
      const path = join(directory, name)
      damage(path)
      const before = readFileSync(path)
      const opened = await openKeyring(directory)
      expect(opened).toMatchObject({ ok: false, failure: { what: expect.stringContaining(path) } })
      expect(readFileSync(path)).toEqual(before)
    }
  })

  it('refuses a key that others may read, with the command that closes it', async () => {
    const directory = testDirectory()
    await open(directory)
    const path = join(directory, 'wireguard.key')
    chmodSync(path, 0o644)
    expect(await openKeyring(directory)).toMatchObject({
      ok: false,
      failure: { remedy: expect.stringContaining(`chmod 600 ${path}`) },
    })
  })

  it('refuses a directory in the place of a key', async () => {
    const directory = testDirectory()
    mkdirSync(join(directory, 'identity.key'))
    expect((await openKeyring(directory)).ok).toBe(false)
  })

  it('says what to do when the directory cannot be made', async () => {
    const file = join(testDirectory(), 'file')
    writeFileSync(file, '')
    expect(await openKeyring(join(file, 'state'))).toMatchObject({
      ok: false,
      failure: { why: expect.stringContaining('not a directory') },
    })
  })
})

describe('the secrets of the tunnel', () => {
  it('make the same preshared key on both ends', async () => {
    const mesh = deriveMeshKeys(new Uint8Array(32), null)
    const [a, b] = [await open(testDirectory()), await open(testDirectory())]
    const ours = tunnelSecrets(a, mesh).presharedKey(b.publicKey)
    expect(ours).toBe(tunnelSecrets(b, mesh).presharedKey(a.publicKey))
    expect(parseWireguardPublicKey(ours)).not.toBeNull()
  })
})

async function open(directory: string) {
  const opened = await openKeyring(directory)
  if (!opened.ok) throw new Error(sentenceOf(opened.failure))
  return opened.value
}

function modeOf(path: string): number {
  return statSync(path).mode & 0o777
}
