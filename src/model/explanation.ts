/** What people read about something that is not as it should be. Programs use the parts, never the sentence. */
export interface Explanation {
  /** One clause, without a trailing period. */
  readonly what: string
  /** Its cause or its consequence. */
  readonly why: string | null
  /** What to do, most often a command. */
  readonly remedy: string | null
}

export type ExplanationDetails = Partial<Omit<Explanation, 'what'>>

export function explained(what: string, { why = null, remedy = null }: ExplanationDetails = {}): Explanation {
  return { what, why, remedy }
}

/** All of it as one line, for the log and plain output: `what (why): remedy`. */
export function sentenceOf({ what, why, remedy }: Explanation): string {
  return `${what}${why === null ? '' : ` (${why})`}${remedy === null ? '' : `: ${remedy}`}`
}
