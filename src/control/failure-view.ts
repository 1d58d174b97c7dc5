import type { Failure } from '../model/failure.ts'

export interface FailureView {
  readonly message: string
  readonly command: string | null
  readonly exit_code: number | null
  readonly stderr: string
}

export function failureView({ message, command, exitCode, stderr }: Failure): FailureView {
  return { message, command, exit_code: exitCode, stderr }
}
