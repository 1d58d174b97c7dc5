import { createHash } from 'node:crypto'

/** Numbers in [0, 1) that are the same for the same seed (sfc32, from PractRand), and what is drawn with them. */
export interface Chance {
  next(): number
  /** A whole number from 0 up to, not including, `end`. */
  below(end: number): number
  between(min: number, max: number): number
  pick<Item>(items: readonly Item[]): Item
  shuffled<Item>(items: readonly Item[]): Item[]
  /** A source of its own: what is drawn there moves nothing here. */
  fork(label: string): Chance
}

export function createChance(seed: string): Chance {
  const next = sfc32(seed)
  const chance: Chance = {
    next,
    below: end => Math.floor(next() * end),
    between: (min, max) => min + next() * (max - min),
    pick(items) {
      const item = items[chance.below(items.length)]
      if (item === undefined) throw new RangeError('nothing to pick from')
      return item
    },
    shuffled(items) {
      const ranked = items.map(item => ({ item, rank: next() }))
      return ranked.sort((a, b) => a.rank - b.rank).map(({ item }) => item)
    },
    fork: label => createChance(`${seed}/${label}`),
  }
  return chance
}

function sfc32(seed: string): () => number {
  const bytes = createHash('sha256').update(seed).digest()
  let [a, b, c, d] = [0, 4, 8, 12].map(offset => bytes.readInt32LE(offset)) as [
    number,
    number,
    number,
    number,
  ]
  return () => {
    const sum = (((a + b) | 0) + d) | 0
    d = (d + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = ((c << 21) | (c >>> 11)) + sum
    c |= 0
    return (sum >>> 0) / 2 ** 32
  }
}
