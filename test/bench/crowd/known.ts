import type { DigestEntry, SyncedEnvelope } from '../../../src/mesh/sync.ts'
import type { Envelope, OpenedEnvelope } from '../../../src/model/announcement.ts'
import type { NodeId } from '../../../src/model/node.ts'
import { sealFake } from '../../fake/gossip.ts'

/** The payload of a machine with two addresses of each family and one segment, as lnet encodes it. */
const payloadBytes = 330
const prefix = '12D3KooW'

/** Ids are in the order of the numbers. */
export function idOf(number: number): NodeId {
  return (prefix + String(number).padStart(44, 'A').replaceAll('0', 'z')) as NodeId
}

export function numberOf(node: NodeId): number {
  return Number(node.slice(prefix.length).replaceAll('A', '').replaceAll('z', '0'))
}

/** A word of a node: the same object for everybody who has it. */
interface Word {
  readonly synced: SyncedEnvelope
  readonly entry: DigestEntry
  readonly hash: readonly [number, number, number, number]
}

/** All that is ever said: by author and version, which is 1 for the first word. */
export class Words {
  readonly #words: (Word | undefined)[][] = []

  of(author: number, version: number): Word {
    this.#words[author] ??= []
    const versions = this.#words[author] as (Word | undefined)[]
    versions[version] ??= newWord(author, version)
    return versions[version] as Word
  }
}

function newWord(author: number, version: number): Word {
  const payload = new Uint8Array(payloadBytes)
  new DataView(payload.buffer).setUint32(0, author)
  new DataView(payload.buffer).setUint32(4, version)
  const node = idOf(author)
  return {
    synced: { envelope: sealFake(node, payload), ageMilliseconds: 0 },
    entry: { node, sequence: { incarnation: 1, counter: version } },
    hash: [1, 2, 3, 4].map(word => scatter(author * 65_537 + version, word)) as unknown as Word['hash'],
  }
}

/** What one node knows: the newest version of each author it heard of. The same answers as a membership's, in less room. */
export class Known {
  count = 0
  readonly #words: Words
  readonly #versions: Uint16Array
  readonly #hash = new Uint32Array(4)

  /** `most`: how many authors there can be. */
  constructor(words: Words, most: number) {
    this.#words = words
    this.#versions = new Uint16Array(most)
  }

  version(author: number): number {
    return this.#versions[author] ?? 0
  }

  /** False when it is no news. */
  take(author: number, version: number): boolean {
    const before = this.version(author)
    if (version <= before) return false
    if (before === 0) this.count += 1
    else this.#add(author, before, -1)
    this.#add(author, version, 1)
    this.#versions[author] = version
    return true
  }

  takeOpened({ payload }: OpenedEnvelope): boolean {
    const view = new DataView(payload.buffer, payload.byteOffset)
    return this.take(view.getUint32(0), view.getUint32(4))
  }

  /** True when all that the other knows is known here. */
  covers(other: Known): boolean {
    return this.#versions.every((version, author) => version >= other.version(author))
  }

  copy(): Known {
    const copy = new Known(this.#words, this.#versions.length)
    copy.count = this.count
    copy.#versions.set(this.#versions)
    copy.#hash.set(this.#hash)
    return copy
  }

  *authors(): Generator<number> {
    for (let author = 0; author < this.#versions.length; author += 1)
      if (this.version(author) > 0) yield author
  }

  setHash(): Uint8Array {
    return new Uint8Array(this.#hash.buffer.slice(0))
  }

  digest(): readonly DigestEntry[] {
    return Array.from(this.authors(), author => this.#wordOf(author).entry)
  }

  envelopes(nodes: readonly NodeId[]): readonly SyncedEnvelope[] {
    return nodes
      .map(numberOf)
      .filter(author => this.version(author) > 0)
      .map(author => this.#wordOf(author).synced)
  }

  envelope(author: number): Envelope {
    return this.#wordOf(author).synced.envelope
  }

  #wordOf(author: number): Word {
    return this.#words.of(author, this.version(author))
  }

  #add(author: number, version: number, sign: 1 | -1): void {
    const { hash } = this.#words.of(author, version)
    for (let word = 0; word < 4; word += 1)
      this.#hash[word] = (this.#hash[word] as number) + sign * (hash[word] as number)
  }
}

/** MurmurHash3's finalizer: the same 32 bits for the same numbers, and hardly ever for others. */
export function scatter(a: number, b: number): number {
  let bits = (a ^ Math.imul(b, 0x9e3779b1)) >>> 0
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
  return (bits ^ (bits >>> 16)) >>> 0
}
