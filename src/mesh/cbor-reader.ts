/** Major types of CBOR (RFC 8949 section 3.1). */
const major = { unsigned: 0, bytes: 2, text: 3, array: 4, map: 5 } as const
const simple = { no: 0xf4, yes: 0xf5, null: 0xf6 } as const
/** What the additional information of a head says: the argument itself, or how many bytes of it follow. */
const argumentBytes: Readonly<Record<number, number>> = { 24: 1, 25: 2, 26: 4, 27: 8 }
const floatHeadMin = 0xf9
const floatHeadMax = 0xfb
const depthMax = 8

/** Thrown by a reader for bytes that are not what was asked for. */
export class UnexpectedCbor extends Error {
  override name = 'UnexpectedCbor'
}

/**
 * Reads hostile CBOR by what is expected of it: type and count of each head are checked before a value is made of it.
 * Strict (RFC 8949 section 4.2): shortest heads alone, no tags, no indefinite lengths, no `undefined`. Throws
 * UnexpectedCbor at the first byte that breaks a bound.
 */
export class CborReader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** How many items follow. */
  array(itemsMax: number): number {
    return this.#length(major.array, itemsMax)
  }

  /** How many pairs of key and value follow. */
  map(pairsMax: number): number {
    return this.#length(major.map, pairsMax)
  }

  /** A copy: who keeps it does not keep the whole message. */
  bytes(lengthMax: number): Uint8Array {
    return new Uint8Array(this.#take(this.#length(major.bytes, lengthMax)))
  }

  /** Text of ASCII characters. */
  ascii(lengthMax: number): string {
    const bytes = this.#take(this.#length(major.text, lengthMax))
    for (const byte of bytes) if (byte > 0x7f) throw new UnexpectedCbor('text is not ASCII')
    return String.fromCharCode(...bytes)
  }

  /** Not negative, and exact. */
  integer(valueMax: number = Number.MAX_SAFE_INTEGER): number {
    return this.#length(major.unsigned, valueMax)
  }

  isTrue(): boolean {
    const byte = this.#take(1)[0]
    if (byte !== simple.no && byte !== simple.yes) throw new UnexpectedCbor('not a boolean')
    return byte === simple.yes
  }

  /** Steps over a `null`, if one is next. */
  skipNull(): boolean {
    if (this.#bytes[this.#at] !== simple.null) return false
    this.#at += 1
    return true
  }

  /** Steps over one well-formed item, whatever it is, with at most so many heads in it, and counts them. Makes nothing of it. */
  skip(headsMax: number): number {
    /** Items that are still missing, a number for each level. */
    const missing = [1]
    let heads = 0
    while (missing.length > 0) {
      const level = missing.length - 1
      const left = missing[level] as number
      if (left === 0) {
        missing.pop()
        continue
      }
      if (heads >= headsMax) throw new UnexpectedCbor('too many items')
      heads += 1
      missing[level] = left - 1
      const children = this.#skipHead()
      if (children > 0 && missing.length >= depthMax) throw new UnexpectedCbor('too deep')
      if (children > 0) missing.push(children)
    }
    return heads
  }

  end(): void {
    if (this.#at !== this.#bytes.length) throw new UnexpectedCbor('bytes follow')
  }

  #length(expected: number, max: number): number {
    const initial = this.#byte()
    if (initial >> 5 !== expected) throw new UnexpectedCbor(`major type ${initial >> 5}, not ${expected}`)
    const length = this.#argument(initial & 31)
    if (length > max) throw new UnexpectedCbor('over a bound')
    return length
  }

  #argument(information: number): number {
    if (information < 24) return information
    const count = argumentBytes[information]
    if (count === undefined) throw new UnexpectedCbor('an indefinite or reserved length')
    let value = 0
    for (let index = 0; index < count; index += 1) value = value * 256 + this.#byte()
    const isShortest = value >= (count === 1 ? 24 : 256 ** (count / 2))
    if (!isShortest || value > Number.MAX_SAFE_INTEGER) throw new UnexpectedCbor('not the shortest length')
    return value
  }

  /** How many items are inside. */
  #skipHead(): number {
    const initial = this.#byte()
    const type = initial >> 5
    if (type === 7) {
      if (initial >= floatHeadMin && initial <= floatHeadMax) this.#take(2 ** (initial - floatHeadMin + 1))
      else if (initial < simple.no || initial > simple.null) throw new UnexpectedCbor('a simple value')
      return 0
    }
    if (type === 6) throw new UnexpectedCbor('a tag')
    const argument = this.#argument(initial & 31)
    if (type === major.bytes || type === major.text) this.#take(argument)
    // Each item takes a byte: more than are left cannot come.
    const children = type === major.array ? argument : type === major.map ? argument * 2 : 0
    if (children > this.#bytes.length - this.#at) throw new UnexpectedCbor('ends too soon')
    return children
  }

  #byte(): number {
    const byte = this.#bytes[this.#at]
    if (byte === undefined) throw new UnexpectedCbor('ends too soon')
    this.#at += 1
    return byte
  }

  #take(length: number): Uint8Array {
    const end = this.#at + length
    if (end > this.#bytes.length) throw new UnexpectedCbor('ends too soon')
    const bytes = this.#bytes.subarray(this.#at, end)
    this.#at = end
    return bytes
  }
}

/** What a reader makes of the bytes, all of them; null where they are something else. Never throws. */
export function readCbor<Value>(bytes: Uint8Array, read: (reader: CborReader) => Value): Value | null {
  try {
    const reader = new CborReader(bytes)
    const value = read(reader)
    reader.end()
    return value
  } catch (error) {
    if (error instanceof UnexpectedCbor) return null
    throw error
  }
}
