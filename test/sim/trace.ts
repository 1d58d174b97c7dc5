import { createHash } from 'node:crypto'
import type { Log } from '../../src/host/log.ts'

export type TraceLevel = 'debug' | 'info' | 'warn' | 'error'

export interface TraceLine {
  readonly at: number
  readonly name: string
  readonly level: TraceLevel
  readonly event: string
  readonly fields: unknown
}

const keptLines = 400
const keptCharacters = 220

/** What all daemons of a world logged, in order: a hash of the whole, and the last lines for people. */
export class Trace {
  readonly #hash = createHash('sha256')
  readonly #kept: TraceLine[] = []
  readonly #counts = new Map<string, number>()
  #listener: ((line: TraceLine) => void) | null = null

  add(line: TraceLine): void {
    this.#hash.update(`${line.at} ${line.name} ${line.event} ${JSON.stringify(line.fields)}\n`)
    this.#counts.set(line.event, (this.#counts.get(line.event) ?? 0) + 1)
    this.#listener?.(line)
    if (line.level === 'debug') return
    this.#kept.push(line)
    if (this.#kept.length > 2 * keptLines) this.#kept.splice(0, keptLines)
  }

  /** Of everything so far. */
  digest(): string {
    return this.#hash.copy().digest('hex')
  }

  count(event: string): number {
    return this.#counts.get(event) ?? 0
  }

  listen(listener: (line: TraceLine) => void): void {
    this.#listener = listener
  }

  /** The last lines above debug. */
  tail(lines: number): readonly string[] {
    return this.#kept.slice(-lines).map(line => formatLine(line).slice(0, keptCharacters))
  }

  /** A daemon's log that ends here. */
  log(name: string, now: () => number): Omit<Log, 'setLevel'> {
    const at = (level: TraceLevel) => (event: string, fields?: unknown) =>
      this.add({ at: now(), name, level, event, fields })
    return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
  }
}

/** One line for people. */
export function formatLine({ at, name, level, event, fields }: TraceLine): string {
  const when = (at / 1000).toFixed(3).padStart(9)
  return `${when} ${name.padEnd(4)} ${level.padEnd(5)} ${event} ${JSON.stringify(fields ?? {})}`
}
