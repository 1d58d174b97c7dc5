import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { deriveMeshKeys, formatMeshSecret, parseMeshSecret, readSecretFile } from '../../src/host/secret.ts'
import { sentenceOf } from '../../src/model/explanation.ts'
import { type MeshId, parseMeshId } from '../../src/model/node.ts'
import { parseWireguardSecretKey, type WireguardPublicKey } from '../../src/model/wireguard-key.ts'
import { testDirectory } from './directory.ts'

const secret = Uint8Array.from({ length: 32 }, (_, index) => index)
const anyKey = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map(bytes => Buffer.from(bytes).toString('base64') as WireguardPublicKey)

describe('the secret file', () => {
  it('holds the base64 of 32 bytes', async () => {
    const path = writeSecret(`${formatMeshSecret(secret)}\n`)
    expect(await readSecretFile(path)).toEqual({ ok: true, value: secret })
  })

  it('is refused when others may read it, with the command that closes it', async () => {
    const path = writeSecret(formatMeshSecret(secret))
    chmodSync(path, 0o640)
    expect(await readSecretFile(path)).toMatchObject({
      ok: false,
      failure: {
        what: `the secret file ${path} is open to others`,
        why: 'mode 0640',
        remedy: `run \`chmod 600 ${path}\``,
      },
    })
  })

  it.each([
    ['31 bytes', Buffer.alloc(31).toString('base64')],
    ['33 bytes', Buffer.alloc(33).toString('base64')],
    ['no base64', `${'x'.repeat(43)}!`],
    ['nothing', ''],
    ['two lines', `${formatMeshSecret(secret)}\n${formatMeshSecret(secret)}`],
    ['a big file', 'A'.repeat(5000)],
  ])('is refused with %s in it, without showing it', async (_, text) => {
    const read = await readSecretFile(writeSecret(text))
    expect(read.ok).toBe(false)
    if (!read.ok && text !== '') expect(sentenceOf(read.failure)).not.toContain(text.slice(0, 20))
  })

  it('is missed with the commands that make it', async () => {
    const read = await readSecretFile(join(testDirectory(), 'none'))
    expect(read).toMatchObject({ ok: false, failure: { remedy: expect.stringContaining('lnetctl join') } })
  })

  it('is refused when it is a directory', async () => {
    expect(await readSecretFile(testDirectory())).toMatchObject({ ok: false })
  })
})

describe('what hangs on the secret', () => {
  it('stays what it was: another value would split every running mesh', () => {
    const keys = deriveMeshKeys(secret, null)
    expect(Buffer.from(keys.networkKey).toString('hex')).toMatchInlineSnapshot(
      `"489d60788071bae18ff9bd1065f1d25eff757d7cc3661b64f51823deafd22da6"`,
    )
    expect(keys.meshId).toMatchInlineSnapshot(`"c46fd87dee01cda6fc461896bc231299"`)
    expect(keys.presharedKey('a' as WireguardPublicKey, 'b' as WireguardPublicKey)).toMatchInlineSnapshot(
      `"lsc09blOUqEkrjlmnqlaOVbKgDfcsXktz7l6F7/XATo="`,
    )
  })

  it('leaves a configured mesh id alone', () => {
    const id = 'ab'.repeat(16) as MeshId
    expect(deriveMeshKeys(secret, id).meshId).toBe(id)
    expect(parseMeshId(deriveMeshKeys(secret, null).meshId)).not.toBeNull()
  })

  it('gives both nodes of a pair one preshared key, and every pair another', () => {
    const keys = deriveMeshKeys(secret, null)
    fc.assert(
      fc.property(anyKey, anyKey, anyKey, (a, b, c) => {
        fc.pre(new Set([a, b, c]).size === 3)
        expect(keys.presharedKey(a, b)).toBe(deriveMeshKeys(secret, null).presharedKey(b, a))
        expect(keys.presharedKey(a, b)).not.toBe(keys.presharedKey(a, c))
        expect(parseWireguardSecretKey(keys.presharedKey(a, b))).not.toBeNull()
      }),
    )
  })

  it('is different for another secret', () => {
    const other = deriveMeshKeys(
      Uint8Array.from(secret, byte => byte ^ 1),
      null,
    )
    expect(other.networkKey).not.toEqual(deriveMeshKeys(secret, null).networkKey)
    expect(other.meshId).not.toBe(deriveMeshKeys(secret, null).meshId)
  })
})

describe('the text of a secret', () => {
  it('reads back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), bytes => {
        expect(parseMeshSecret(formatMeshSecret(bytes))).toEqual(bytes)
      }),
    )
  })
})

function writeSecret(text: string): string {
  const path = join(testDirectory(), 'mesh.secret')
  writeFileSync(path, text, { mode: 0o600 })
  return path
}
