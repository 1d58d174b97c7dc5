import { sentenceOf } from '../model/explanation.ts'
import type { Problem, ProblemCode } from '../model/problem.ts'

export interface ProblemSummary {
  readonly code: ProblemCode
  readonly subject: string
  /** All of it in one line. */
  readonly message: string
  /** Its parts; absent in answers of lnetd 0.1.0. */
  readonly what?: string
  readonly why?: string | null
  readonly remedy?: string | null
  readonly severity: 'degraded' | 'notice'
}

export function problemSummary(problem: Problem): ProblemSummary {
  const { code, subject, what, why, remedy, severity } = problem
  return { code, subject, message: sentenceOf(problem), what, why, remedy, severity }
}
