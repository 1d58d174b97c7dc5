import { decode, encode } from 'cborg'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeMap } from '../../src/mesh/cbor.ts'
import { readCbor } from '../../src/mesh/cbor-reader.ts'

const hex = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'))
const skips = (bytes: Uint8Array, items = 1000) => readCbor(bytes, reader => reader.skip(items)) !== null

describe('stepping over CBOR', () => {
  it.each([
    ['an integer', '1903e8', true],
    ['a negative integer', '3903e7', true],
    ['a text in UTF-8', '63e4bda0', true],
    ['null, true, a double', '83 f6 f5 fb3ff8000000000000', true],
    ['nested lists', '83 80 8101 a1 01 a0', true],
    ['nothing', '', false],
    ['two items', '0101', false],
    ['an integer that is longer than it has to be', '1805', false],
    ['a list of indefinite length', '9f01ff', false],
    ['a text of indefinite length', '7f6161ff', false],
    ['a tag', 'c101', false],
    ['undefined', 'f7', false],
    ['another simple value', 'f820', false],
    ['a break', 'ff', false],
    ['a text that ends too soon', '656161', false],
    ['a list that says it is longer', '8401', false],
    ['a list of 2^53 items', '9b0020000000000000', false],
    ['a map of four thousand million pairs', 'baffffffff', false],
    ['a list nine deep', '818181818181818180', false],
  ])('%s: %s is %s', (_, bytes, expected) => {
    expect(skips(hex(bytes))).toBe(expected)
  })

  it('takes what is encoded here, and counts its items', () => {
    const value = fc.array(fc.oneof(fc.integer(), fc.string(), fc.boolean()), { maxLength: 40 })
    fc.assert(
      fc.property(value, items => {
        expect(readCbor(encode(items), reader => reader.skip(100))).toBe(items.length + 1)
        expect(skips(encode(items), items.length)).toBe(false)
      }),
    )
  })

  it('never takes what cborg does not', () => {
    const options = { strict: true, allowIndefinite: false, allowUndefined: false, useMaps: true }
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 12 }), bytes => {
        if (!skips(bytes)) return
        expect(() => decode(bytes, options)).not.toThrow(/indefinite|tag|undefined|unexpected|not enough/i)
      }),
      { numRuns: 20_000 },
    )
  })
})

describe('reading CBOR by what is expected', () => {
  it('takes the right type within its bound alone', () => {
    const list = encode([1, 2, 3])
    expect(
      readCbor(list, reader => [reader.array(3), reader.skip(1), reader.skip(1), reader.skip(1)][0]),
    ).toBe(3)
    expect(readCbor(list, reader => reader.array(2))).toBeNull()
    expect(readCbor(list, reader => reader.map(9))).toBeNull()
    expect(readCbor(encode('abc'), reader => reader.ascii(3))).toBe('abc')
    expect(readCbor(encode('abc'), reader => reader.ascii(2))).toBeNull()
    expect(readCbor(encode('ä'), reader => reader.ascii(9))).toBeNull()
    expect(readCbor(encode(Uint8Array.of(7)), reader => reader.bytes(1))).toEqual(Uint8Array.of(7))
    expect(readCbor(encode(2 ** 40), reader => reader.integer())).toBe(2 ** 40)
    expect(readCbor(encode(6), reader => reader.integer(5))).toBeNull()
    expect(readCbor(encode(-1), reader => reader.integer())).toBeNull()
    expect(readCbor(encode(false), reader => reader.isTrue())).toBe(false)
    expect(readCbor(encode(null), reader => reader.isTrue())).toBeNull()
  })

  it('keeps no more than it read', () => {
    const message = encode([new Uint8Array(10), new Uint8Array(100_000)])
    const kept = readCbor(message, reader => {
      reader.array(2)
      const first = reader.bytes(10)
      reader.skip(1)
      return first
    })
    expect(kept?.buffer.byteLength).toBe(10)
  })
})

describe('a map whose fields may come in any order', () => {
  it('is not read when it holds too many items, or is too deep', () => {
    expect(decodeMap(encode(new Map([[1, Array.from({ length: 1000 }, () => 1)]])))?.size).toBe(1)
    expect(decodeMap(encode(new Map([[1, Array.from({ length: 2000 }, () => new Map())]])))).toBeNull()
    expect(decodeMap(hex('a1 01 81 81 81 81 81 81 81 81 80'))).toBeNull()
  })
})
