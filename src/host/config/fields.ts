import { isAlias, isMap, isScalar, isSeq, type Node, type Pair, type Scalar, type YAMLMap } from 'yaml'
import type { ConfigDocument } from './document.ts'
import { nearest } from './nearest.ts'
import type { Reader } from './readers.ts'
import { memberKey, type Report } from './report.ts'

/**
 * Reads one map of the file, key by key. What is wrong goes to the report and counts as left out, so that every
 * problem is found in one go; keys nobody asked for are problems too. A key without a value is left out.
 */
export class Fields {
  readonly key: string
  readonly #document: ConfigDocument
  readonly #report: Report
  readonly #values = new Map<string, { readonly name: Node; readonly value: Node | null }>()
  readonly #asked = new Set<string>()

  constructor(map: YAMLMap | null, key: string, document: ConfigDocument, report: Report) {
    this.key = key
    this.#document = document
    this.#report = report
    for (const pair of map?.items ?? []) this.#remember(pair as Pair<Node, Node | null>)
  }

  /** One value, or null when it is left out or wrong. */
  read<Value>(name: string, reader: Reader<Value>): Value | null {
    const node = this.#ask(name)
    return node === null ? null : this.#readScalar(node, memberKey(this.key, name), reader)
  }

  /** The same for a value that has to be there. */
  need<Value>(name: string, reader: Reader<Value>): Value | null {
    if (this.#values.get(name)?.value == null) this.#report.add(memberKey(this.key, name), 'is missing')
    return this.read(name, reader)
  }

  /** Whether a map stands there, where a single value may stand, too. */
  isSection(name: string): boolean {
    return isMap(this.#values.get(name)?.value)
  }

  /** Whether a list stands there, where a single value may stand, too. */
  isList(name: string): boolean {
    return isSeq(this.#values.get(name)?.value)
  }

  /** A list of values without the wrong ones, or null when it is left out or no list. */
  readList<Value>(name: string, reader: Reader<Value>, entriesMax: number): readonly Value[] | null {
    return this.#eachItem(name, entriesMax, (node, key) => this.#readScalar(node, key, reader))
  }

  /** A list, or the word that stands for none. */
  readListOr<Value>(
    name: string,
    word: string,
    reader: Reader<Value>,
    entriesMax: number,
  ): readonly Value[] | null {
    const node = this.#ask(name)
    return isScalar(node) && node.value === word ? null : this.readList(name, reader, entriesMax)
  }

  /** A map within this one. Its reader is asked even when the map is left out, for the defaults. */
  section<Value>(name: string, read: (fields: Fields) => Value): Value {
    const node = this.#ask(name)
    const key = memberKey(this.key, name)
    if (node !== null && !isMap(node)) this.#report.add(key, 'must be a map of keys and values')
    return this.#readMap(isMap(node) ? node : null, key, read)
  }

  /** A list of maps, or null when it is left out or no list. */
  sections<Value>(
    name: string,
    read: (fields: Fields) => Value,
    entriesMax: number,
  ): readonly Value[] | null {
    return this.#eachItem(name, entriesMax, (node, key) => {
      if (!isMap(node)) this.#report.add(key, 'must be a map of keys and values')
      // The others keep their numbers.
      return this.#readMap(isMap(node) ? node : null, key, read)
    })
  }

  /** Reports the keys that were never asked for. To be called last. */
  finish(): void {
    for (const name of this.#values.keys()) {
      if (this.#asked.has(name)) continue
      const guess = nearest(name, this.#asked)
      const hint = guess === null ? `use one of ${[...this.#asked].join(', ')}` : `did you mean ${guess}?`
      this.#report.add(memberKey(this.key, name.slice(0, 60)), 'unknown key', {
        line: this.#lineOfName(name),
        remedy: hint,
      })
    }
  }

  #ask(name: string): Node | null {
    this.#asked.add(name)
    const node = this.#values.get(name)?.value ?? null
    if (isAlias(node)) {
      this.#report.add(memberKey(this.key, name), 'aliases are not taken', { remedy: 'write the value out' })
      return null
    }
    return isScalar(node) && node.value === null ? null : node
  }

  #remember({ key: name, value }: Pair<Node, Node | null>): void {
    if (!isScalar(name) || name.value === null || typeof name.value === 'object') {
      this.#report.add(this.key, 'has a key that is no plain word', { line: this.#document.lineOf(name) })
      return
    }
    const text = String(name.value)
    if (this.#values.has(text))
      this.#report.add(memberKey(this.key, text.slice(0, 60)), 'is there twice', {
        line: this.#document.lineOf(name),
      })
    this.#values.set(text, { name, value })
    this.#report.locate(memberKey(this.key, text), this.#document.lineOf(name))
  }

  #readMap<Value>(map: YAMLMap | null, key: string, read: (fields: Fields) => Value): Value {
    const fields = new Fields(map, key, this.#document, this.#report)
    const value = read(fields)
    fields.finish()
    return value
  }

  #eachItem<Value>(
    name: string,
    entriesMax: number,
    read: (node: Node, key: string) => Value | null,
  ): readonly Value[] | null {
    const node = this.#ask(name)
    if (node === null) return null
    const key = memberKey(this.key, name)
    if (!isSeq(node)) {
      this.#report.add(key, 'must be a list')
      return null
    }
    if (node.items.length > entriesMax) {
      this.#report.add(key, `must have at most ${entriesMax} entries, has ${node.items.length}`)
      return null
    }
    return (node.items as Node[]).flatMap((item, index) => {
      const itemKey = `${key}[${index}]`
      this.#report.locate(itemKey, this.#document.lineOf(item))
      const value = read(item, itemKey)
      return value === null ? [] : [value]
    })
  }

  #readScalar<Value>(node: Node, key: string, reader: Reader<Value>): Value | null {
    if (!isScalar(node)) {
      if (isAlias(node)) this.#report.add(key, 'aliases are not taken', { remedy: 'write the value out' })
      else this.#report.add(key, 'must be a single value')
      return null
    }
    const reading = reader(plainOf(node))
    if ('value' in reading) return reading.value
    this.#report.add(key, reading.problem)
    return null
  }

  #lineOfName(name: string): number | null {
    const entry = this.#values.get(name)
    return entry === undefined ? null : this.#document.lineOf(entry.name)
  }
}

/** What a scalar means, and what was written: a mesh id of digits alone is still a text. */
function plainOf(node: Scalar): { readonly value: unknown; readonly text: string } {
  const text = typeof node.value === 'string' ? node.value : (node.source ?? String(node.value))
  return { value: node.value, text }
}
