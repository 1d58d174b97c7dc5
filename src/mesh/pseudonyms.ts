/** Tells one from another without telling which it is: the same word has the same pseudonym. */
export interface Pseudonyms {
  /** `kind` and a number, in the order they are met: `dns-name-1`. */
  of(kind: string, word: string): string
}

export function createPseudonyms(): Pseudonyms {
  const given = new Map<string, Map<string, string>>()
  return {
    of(kind, word) {
      const known = given.get(kind) ?? new Map<string, string>()
      given.set(kind, known)
      const pseudonym = known.get(word) ?? `${kind}-${known.size + 1}`
      known.set(word, pseudonym)
      return pseudonym
    },
  }
}
