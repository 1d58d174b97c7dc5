/** An operating failure: a value, retried and shown, never thrown. */
export interface Failure {
  /** One sentence for people, with the remedy where one is known. */
  readonly message: string
  readonly command: string | null
  readonly exitCode: number | null
  /** The first lines of what the tool said. */
  readonly stderr: string
}

export type Result<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly failure: Failure }

export function ok<Value>(value: Value): Result<Value> {
  return { ok: true, value }
}

export function failed(message: string, details: Partial<Omit<Failure, 'message'>> = {}): Result<never> {
  return { ok: false, failure: { message, command: null, exitCode: null, stderr: '', ...details } }
}
