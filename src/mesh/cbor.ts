import { decode } from 'cborg'

/** CBOR of a map with numeric keys, strictly read: no tags, no indefinite lengths, no duplicate keys. */
export function decodeMap(bytes: Uint8Array): Map<unknown, unknown> | null {
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
