import { type Explanation, explained } from './explanation.ts'

/** An operating failure: a value, retried and shown, never thrown. */
export interface Failure extends Explanation {
  readonly command: string | null
  readonly exitCode: number | null
  /** The first lines of what the tool said. */
  readonly stderr: string
}

export type Result<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly failure: Failure }

export type FailureDetails = Partial<Omit<Failure, 'what'>>

export function ok<Value>(value: Value): Result<Value> {
  return { ok: true, value }
}

export function failed(what: string, details: FailureDetails = {}): Result<never> {
  return { ok: false, failure: failureOf(what, details) }
}

/** `failed('cannot read FILE', { why: 'the disk is full', remedy: 'free some space' })`, without the result around it. */
export function failureOf(
  what: string,
  { command = null, exitCode = null, stderr = '', ...details }: FailureDetails = {},
): Failure {
  return { ...explained(what, details), command, exitCode, stderr }
}
