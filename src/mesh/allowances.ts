/** What a neighbour may cause at once, and for each second after. */
export interface AllowanceRates {
  readonly piecesBurst: number
  readonly piecesPerSecond: number
  readonly bytesBurst: number
  readonly bytesPerSecond: number
}

/** What a neighbour may still cause; less than nothing where it caused more. */
interface Allowance {
  readonly pieces: number
  readonly bytes: number
  /** Monotonic milliseconds. */
  readonly at: number
}

/** What others cost over time. Kept by their key, a node id for one, so that a new stream or connection starts none anew. */
export class Allowances<Key> {
  readonly #rates: AllowanceRates
  readonly #keysMax: number
  readonly #allowances = new Map<Key, Allowance>()

  constructor(rates: AllowanceRates, keysMax: number) {
    this.#rates = rates
    this.#keysMax = keysMax
  }

  /** Takes so much of what a neighbour may cause, and says how many milliseconds later it may cause more. */
  spend(key: Key, pieces: number, bytes: number, now: number): number {
    const before = this.#at(key, now)
    const after = { pieces: before.pieces - pieces, bytes: before.bytes - bytes, at: now }
    // The last to be used is the last to be dropped.
    this.#allowances.delete(key)
    this.#allowances.set(key, after)
    if (this.#allowances.size > this.#keysMax) this.#dropOldest()
    return this.#waitMilliseconds(after)
  }

  #at(key: Key, now: number): Allowance {
    const { piecesBurst, piecesPerSecond, bytesBurst, bytesPerSecond } = this.#rates
    const known = this.#allowances.get(key)
    if (known === undefined) return { pieces: piecesBurst, bytes: bytesBurst, at: now }
    const seconds = Math.max(0, now - known.at) / 1000
    return {
      pieces: Math.min(piecesBurst, known.pieces + seconds * piecesPerSecond),
      bytes: Math.min(bytesBurst, known.bytes + seconds * bytesPerSecond),
      at: now,
    }
  }

  #dropOldest(): void {
    const [oldest] = this.#allowances.keys()
    if (oldest !== undefined) this.#allowances.delete(oldest)
  }

  #waitMilliseconds({ pieces, bytes }: Allowance): number {
    const { piecesPerSecond, bytesPerSecond } = this.#rates
    return Math.max(-pieces / piecesPerSecond, -bytes / bytesPerSecond, 0) * 1000
  }
}
