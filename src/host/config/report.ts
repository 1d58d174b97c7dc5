import { type Explanation, type ExplanationDetails, explained, sentenceOf } from '../../model/explanation.ts'
import { configProblemsMax } from '../../model/limits.ts'

/** One thing wrong with a configuration file: what is wrong, and what would be right. Never a secret. */
export interface ConfigurationProblem extends Explanation {
  /** As `segments[1].vni`; empty for the file as a whole. */
  readonly key: string
  /** Counted from 1; null when there is no such place. */
  readonly line: number | null
}

/** `lnetd.yaml:12: tunnel.port: must be 1 to 65535, got "abc"` */
export function describeConfigurationProblem(file: string, problem: ConfigurationProblem): string {
  return sentenceOf(placedProblem(file, problem))
}

/** The same in parts, the place being one of `what`. */
export function placedProblem(
  file: string,
  { key, line, what, why, remedy }: ConfigurationProblem,
): Explanation {
  const place = line === null ? file : `${file}:${line}`
  return { what: key === '' ? `${place}: ${what}` : `${place}: ${key}: ${what}`, why, remedy }
}

interface ProblemDetails extends ExplanationDetails {
  readonly line?: number | null
}

/** Gathers problems, and knows on which line each key stands. */
export class Report {
  readonly #lines = new Map<string, number>()
  readonly #problems: ConfigurationProblem[] = []

  locate(key: string, line: number | null): void {
    if (line !== null) this.#lines.set(key, line)
  }

  /** At the line of the key, or of the nearest one around it. */
  add(key: string, what: string, { line = this.#lineOf(key), ...details }: ProblemDetails = {}): void {
    if (this.#problems.length < configProblemsMax)
      this.#problems.push({ key, line, ...explained(what, details) })
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
