import {
  syncAllowancesMax,
  syncAnswersBurst,
  syncAnswersPerSecond,
  syncBytesBurst,
  syncBytesPerSecond,
} from '../model/limits.ts'
import type { NodeId } from '../model/node.ts'

/** What a neighbour may still cause; less than nothing where it caused more. */
interface Allowance {
  readonly answers: number
  readonly bytes: number
  /** Monotonic milliseconds. */
  readonly at: number
}

const whole = { answers: syncAnswersBurst, bytes: syncBytesBurst }

/** What neighbours cost by sync, over time: kept by node, so that a new stream or connection starts none anew. */
export class SyncAllowances {
  readonly #allowances = new Map<NodeId, Allowance>()

  /** Takes so much of what a neighbour may cause, and says how many milliseconds later it may cause more. */
  spend(node: NodeId, answers: number, bytes: number, now: number): number {
    const before = this.#at(node, now)
    const after = { answers: before.answers - answers, bytes: before.bytes - bytes, at: now }
    // The last to be used is the last to be dropped.
    this.#allowances.delete(node)
    this.#allowances.set(node, after)
    if (this.#allowances.size > syncAllowancesMax) this.#dropOldest()
    return waitMilliseconds(after)
  }

  #at(node: NodeId, now: number): Allowance {
    const known = this.#allowances.get(node)
    if (known === undefined) return { ...whole, at: now }
    const seconds = Math.max(0, now - known.at) / 1000
    return {
      answers: Math.min(whole.answers, known.answers + seconds * syncAnswersPerSecond),
      bytes: Math.min(whole.bytes, known.bytes + seconds * syncBytesPerSecond),
      at: now,
    }
  }

  #dropOldest(): void {
    const [oldest] = this.#allowances.keys()
    if (oldest !== undefined) this.#allowances.delete(oldest)
  }
}

function waitMilliseconds({ answers, bytes }: Allowance): number {
  const seconds = Math.max(-answers / syncAnswersPerSecond, -bytes / syncBytesPerSecond, 0)
  return seconds * 1000
}
