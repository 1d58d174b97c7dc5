import { sentenceOf } from '../model/explanation.ts'
import type { Failure } from '../model/failure.ts'

export interface FailureView {
  /** All of it in one line. */
  readonly message: string
  readonly what: string
  readonly why: string | null
  readonly remedy: string | null
  readonly command: string | null
  readonly exit_code: number | null
  readonly stderr: string
}

export function failureView(failure: Failure): FailureView {
  const { what, why, remedy, command, exitCode, stderr } = failure
  return { message: sentenceOf(failure), what, why, remedy, command, exit_code: exitCode, stderr }
}
