/**
 * A map as a value, in two layers: a change copies only what changed of late. Copying all of a large membership for
 * each word of a crowd that joins would cost its square. Iterates like a map: what was there first comes first.
 */
export class LayeredMap<Key, Value extends object> implements ReadonlyMap<Key, Value> {
  readonly #base: ReadonlyMap<Key, Value>
  readonly #changes: ReadonlyMap<Key, Value>
  readonly size: number

  private constructor(base: ReadonlyMap<Key, Value>, changes: ReadonlyMap<Key, Value>) {
    this.#base = base
    this.#changes = changes
    let added = 0
    for (const key of changes.keys()) if (!base.has(key)) added += 1
    this.size = base.size + added
  }

  /** The map with these entries in place of, or after, its own. */
  static with<Key, Value extends object>(
    map: ReadonlyMap<Key, Value>,
    entries: ReadonlyMap<Key, Value>,
  ): ReadonlyMap<Key, Value> {
    const [base, before] =
      map instanceof LayeredMap ? [map.#base, map.#changes] : [map, new Map<Key, Value>()]
    const changes = new Map<Key, Value>([...before, ...entries])
    // Square root of the whole: then neither copying the changes nor folding them in costs much a change.
    return changes.size ** 2 > base.size
      ? new Map<Key, Value>([...base, ...changes])
      : new LayeredMap<Key, Value>(base, changes)
  }

  get(key: Key): Value | undefined {
    return this.#changes.get(key) ?? this.#base.get(key)
  }

  has(key: Key): boolean {
    return this.#changes.has(key) || this.#base.has(key)
  }

  *entries(): MapIterator<[Key, Value]> {
    for (const [key, value] of this.#base) yield [key, this.#changes.get(key) ?? value]
    for (const entry of this.#changes) if (!this.#base.has(entry[0])) yield entry
  }

  *keys(): MapIterator<Key> {
    for (const [key] of this.entries()) yield key
  }

  *values(): MapIterator<Value> {
    for (const [, value] of this.entries()) yield value
  }

  [Symbol.iterator](): MapIterator<[Key, Value]> {
    return this.entries()
  }

  forEach(action: (value: Value, key: Key, map: ReadonlyMap<Key, Value>) => void): void {
    for (const [key, value] of this.entries()) action(value, key, this)
  }
}
