import { encode } from 'cborg'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeToken, encodeToken, type JoinToken } from '../../src/mesh/token.ts'
import type { InterfaceName, Port, Prefix } from '../../src/model/address.ts'
import { parseBootstrapPlace } from '../../src/model/bootstrap.ts'
import type { BootstrapPlace } from '../../src/model/configuration.ts'
import { sentenceOf } from '../../src/model/explanation.ts'
import { tokenBootstrapPlacesMax, tokenCharactersMax } from '../../src/model/limits.ts'
import type { MeshId } from '../../src/model/node.ts'
import type { Vni } from '../../src/model/segment.ts'

const token: JoinToken = {
  mesh: '4f1c9a0e6d2b48b7a3c5d7e9f1a2b3c4' as MeshId,
  secret: Uint8Array.from({ length: 32 }, (_, index) => index),
  bootstrap: [place('203.0.113.7:51821'), place('/dns/vps.example.org/tcp/51821')],
  tunnelPrefix: null,
  segments: [
    {
      interface: 'vlnet0' as InterfaceName,
      vni: 49_371 as Vni,
      port: 4789 as Port,
      prefixes: ['192.168.102.0/24' as Prefix],
    },
  ],
}

const anyToken: fc.Arbitrary<JoinToken> = fc.record({
  mesh: fc
    .uint8Array({ minLength: 16, maxLength: 16 })
    .map(bytes => Buffer.from(bytes).toString('hex') as MeshId),
  secret: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  bootstrap: fc.array(
    fc.ipV4().map(address => place(`${address}:51821`)),
    { maxLength: tokenBootstrapPlacesMax },
  ),
  tunnelPrefix: fc.option(fc.constantFrom('192.168.228.0/24' as Prefix, 'fd00::/64' as Prefix)),
  segments: fc.array(
    fc.record({
      interface: fc.stringMatching(/^[a-z][a-z0-9]{0,14}$/).map(name => name as InterfaceName),
      vni: fc.integer({ min: 1, max: 2 ** 24 - 1 }).map(vni => vni as Vni),
      port: fc.integer({ min: 1, max: 65_535 }).map(port => port as Port),
      prefixes: fc.subarray(['10.0.0.0/8', 'fd00:1::/64'] as Prefix[]),
    }),
    { maxLength: 16 },
  ),
})

describe('a token', () => {
  it('reads back as what was put in', () => {
    fc.assert(
      fc.property(anyToken, value => {
        expect(decodeToken(text(value))).toEqual({ ok: true, value })
      }),
    )
  })

  it('stays what it was: tokens are kept in notes', () => {
    expect(text(token)).toMatchInlineSnapshot(
      `"lnet1-pQB4IDRmMWM5YTBlNmQyYjQ4YjdhM2M1ZDdlOWYxYTJiM2M0AVggAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8CgnEyMDMuMC4xMTMuNzo1MTgyMXgeL2Rucy92cHMuZXhhbXBsZS5vcmcvdGNwLzUxODIxA_YEgYRmdmxuZXQwGcDbGRK1gXAxOTIuMTY4LjEwMi4wLzI0rpGpbg"`,
    )
  })

  it('may be pasted with spaces and line breaks', () => {
    const pasted = `  ${text(token).replaceAll(/(.{60})/g, '$1\r\n  ')}\n`
    expect(decodeToken(pasted)).toEqual({ ok: true, value: token })
  })

  it('is not made when it would be too long to be copied', () => {
    const long = Array.from({ length: 16 }, (_, index) =>
      place(`${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}.${'d'.repeat(50)}.x${index}:1`),
    )
    expect(encodeToken({ ...token, bootstrap: long })).toMatchObject({
      ok: false,
      failure: { remedy: expect.stringContaining('leave out') },
    })
  })
})

describe('what is no token', () => {
  it('is found whatever one character became, or wherever it was cut', () => {
    const whole = text(token)
    fc.assert(
      fc.property(
        fc.integer({ min: 6, max: whole.length - 1 }),
        fc.constantFrom(...'AZaz09-_'),
        (at, character) => {
          fc.pre(whole[at] !== character)
          expect(decodeToken(whole.slice(0, at) + character + whole.slice(at + 1)).ok).toBe(false)
          expect(decodeToken(whole.slice(0, at)).ok).toBe(false)
          expect(decodeToken(whole + character).ok).toBe(false)
        },
      ),
    )
  })

  it.each([
    ['', 'no token'],
    ['hello', 'no token'],
    ['lnet1-', 'cut short or mistyped'],
    ['lnet1-!!!!', 'cut short or mistyped'],
    ['lnet1-AAAAA', 'cut short or mistyped'],
    ['lnet2-AAAA', 'newer lnetd'],
    ['A'.repeat(3 * tokenCharactersMax), 'too long'],
  ])('%j is told so: %s', (pasted, reason) => {
    expect(decodeToken(pasted)).toMatchObject({
      ok: false,
      failure: { what: expect.stringContaining(reason) },
    })
  })

  it('is never shown', () => {
    const broken = `${text(token).slice(0, -3)}AAA`
    expect(JSON.stringify(decodeToken(broken))).not.toContain(broken.slice(10, 30))
  })

  it('is refused when its checksum holds and its content does not', async () => {
    for (const payload of [
      {},
      { ...fields(), 0: 'x' },
      { ...fields(), 1: new Uint8Array(31) },
      { ...fields(), 2: ['nowhere'] },
      { ...fields(), 2: Array(tokenBootstrapPlacesMax + 1).fill('192.0.2.1:1') },
      { ...fields(), 3: '10.0.0.1/8' },
      { ...fields(), 4: [['vlnet0', 0, 4789, []]] },
      { ...fields(), 4: Array(17).fill(['vlnet0', 1, 4789, []]) },
      { ...fields(), 4: [['vlnet0', 1, 4789, Array(17).fill('10.0.0.0/8')]] },
    ])
      expect(decodeToken(await sealed(payload))).toMatchObject({
        ok: false,
        failure: { what: expect.stringContaining('does not know') },
      })
    expect(decodeToken(await sealed(fields())).ok).toBe(true)
  })

  it('never throws', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.base64String().map(rest => `lnet1-${rest}`),
        ),
        pasted => {
          expect(decodeToken(pasted).ok).toBe(false)
        },
      ),
    )
  })
})

function text(value: JoinToken): string {
  const encoded = encodeToken(value)
  if (!encoded.ok) throw new Error(sentenceOf(encoded.failure))
  return encoded.value
}

function place(written: string): BootstrapPlace {
  const parsed = parseBootstrapPlace(written)
  if (parsed === null) throw new Error(written)
  return parsed
}

function fields(): Record<number, unknown> {
  return {
    0: token.mesh,
    1: token.secret,
    2: ['192.0.2.1:51821'],
    3: null,
    4: [['vlnet0', 49_371, 4789, ['192.168.102.0/24']]],
  }
}

/** A token as somebody else's program might make it, by the web's own means. */
async function sealed(content: Record<number, unknown>): Promise<string> {
  const payload = encode(new Map(Object.entries(content).map(([key, value]) => [Number(key), value])))
  const hashed = Buffer.concat([Buffer.from('lnet/1/token'), payload])
  const checksum = Buffer.from(await crypto.subtle.digest('SHA-256', hashed)).subarray(0, 4)
  return `lnet1-${Buffer.concat([payload, checksum]).toString('base64url')}`
}
