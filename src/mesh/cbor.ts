import { decode } from 'cborg'
import { readCbor } from './cbor-reader.ts'

/** An announcement of the largest size holds about 300. */
const cborItemsMax = 1024

/**
 * CBOR of a map with numeric keys, strictly read: no tags, no indefinite lengths, no duplicate keys. Nothing is made of
 * it before it is known to hold at most so many items, on a few levels: for what is short, and whose fields may come
 * in any order or be of a later version.
 */
export function decodeMap(bytes: Uint8Array, itemsMax: number = cborItemsMax): Map<unknown, unknown> | null {
  if (readCbor(bytes, reader => reader.skip(itemsMax)) === null) return null
  try {
    const value: unknown = decode(bytes, {
      useMaps: true,
      strict: true,
      allowIndefinite: false,
      allowUndefined: false,
      allowBigInt: false,
      rejectDuplicateMapKeys: true,
    })
    return value instanceof Map ? value : null
  } catch {
    return null
  }
}

/** The canonical text is the only one taken, so that equal announcements have equal bytes. */
export function readText<Value extends string>(
  value: unknown,
  parse: (text: string) => Value | null,
): Value | null {
  if (typeof value !== 'string') return null
  const parsed = parse(value)
  return parsed === value ? parsed : null
}

/** Null when one item is. */
export function readList<Item>(value: unknown, read: (item: unknown) => Item | null): readonly Item[] | null {
  if (!Array.isArray(value)) return null
  const items = value.map(read)
  return items.includes(null) ? null : (items as Item[])
}

export function readBoolean(value: unknown): boolean | null {
  return typeof value === 'boolean' ? value : null
}

/** Not negative, and exact. */
export function readInteger(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null
}

/** ASCII without controls: safe on a terminal. */
export function isPrintable(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text)
}
