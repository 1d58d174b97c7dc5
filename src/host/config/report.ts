import { configProblemsMax } from '../../model/limits.ts'

/** One thing wrong with a configuration file. */
export interface ConfigurationProblem {
  /** As `segments[1].vni`; empty for the file as a whole. */
  readonly key: string
  /** Counted from 1; null when there is no such place. */
  readonly line: number | null
  /** What is wrong and what would be right. Never a secret. */
  readonly message: string
}

/** `lnetd.yaml:12: tunnel.port: must be 1 to 65535, got "abc"` */
export function describeConfigurationProblem(file: string, problem: ConfigurationProblem): string {
  const place = problem.line === null ? file : `${file}:${problem.line}`
  return problem.key === '' ? `${place}: ${problem.message}` : `${place}: ${problem.key}: ${problem.message}`
}

/** Gathers problems, and knows on which line each key stands. */
export class Report {
  readonly #lines = new Map<string, number>()
  readonly #problems: ConfigurationProblem[] = []

  locate(key: string, line: number | null): void {
    if (line !== null) this.#lines.set(key, line)
  }

  /** At the line of the key, or of the nearest one around it. */
  add(key: string, message: string, line: number | null = this.#lineOf(key)): void {
    if (this.#problems.length < configProblemsMax) this.#problems.push({ key, line, message })
  }

  /** Something at, in or around one of these keys is wrong already, so that what was read there is a default. */
  isBroken(...keys: readonly string[]): boolean {
    return this.#problems.some(problem =>
      keys.some(key => isWithin(problem.key, key) || isWithin(key, problem.key)),
    )
  }

  /** In the order of the file. */
  problems(): readonly ConfigurationProblem[] {
    return this.#problems.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0))
  }

  #lineOf(key: string): number | null {
    for (let place = key; place !== ''; place = parentOf(place)) {
      const line = this.#lines.get(place)
      if (line !== undefined) return line
    }
    return null
  }
}

export function memberKey(parent: string, name: string): string {
  return parent === '' ? name : `${parent}.${name}`
}

function isWithin(key: string, outer: string): boolean {
  return key === outer || (key.startsWith(outer) && /^[.[]/.test(key.slice(outer.length)))
}

function parentOf(key: string): string {
  return key.slice(0, Math.max(0, key.lastIndexOf('.'), key.lastIndexOf('[')))
}
