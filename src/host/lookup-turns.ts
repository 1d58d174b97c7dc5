import { lookupsOfOthersMax, lookupsOfOwnMax, lookupsWaitingPerAuthorMax } from '../model/limits.ts'

/** Whose name it is. */
export interface Claimant {
  /** The operator wrote it here: it waits for no name of others. */
  readonly isOwn: boolean
  /** Who announced it. */
  readonly author: string
  /** It has led somewhere before: it comes before names that never did. */
  readonly isProven: boolean
}

/** False: that author has too many names waiting already. */
export type TakeTurn = (claimant: Claimant, work: () => Promise<void>) => boolean

interface Line {
  readonly waiting: Map<string, (() => Promise<void>)[]>
  readonly atOnceMax: number
  running: number
}

/**
 * Who is looked up when: own names beside those of others, and of these each author in turn, however many names one
 * of them has. Work never rejects.
 */
export function createLookupTurns(): TakeTurn {
  const own: Line = { waiting: new Map(), atOnceMax: lookupsOfOwnMax, running: 0 }
  const proven: Line = { waiting: new Map(), atOnceMax: lookupsOfOthersMax, running: 0 }
  const unproven: Line = { waiting: new Map(), atOnceMax: lookupsOfOthersMax, running: 0 }

  function start(line: Line): void {
    const work = next(line)
    if (work === null) return
    line.running += 1
    void work().finally(() => {
      line.running -= 1
      startAll()
    })
  }

  function startAll(): void {
    while (own.waiting.size > 0 && own.running < own.atOnceMax) start(own)
    for (const line of [proven, unproven])
      while (line.waiting.size > 0 && proven.running + unproven.running < line.atOnceMax) start(line)
  }

  return ({ isOwn, author, isProven }, work) => {
    const line = isOwn ? own : isProven ? proven : unproven
    const waiting = line.waiting.get(author) ?? []
    if (waiting.length >= lookupsWaitingPerAuthorMax) return false
    line.waiting.set(author, [...waiting, work])
    startAll()
    return true
  }
}

/** The first of the author whose turn it is, who then goes to the end of the line. */
function next({ waiting }: Line): (() => Promise<void>) | null {
  const [turn] = waiting
  if (turn === undefined) return null
  const [author, [work, ...rest]] = turn
  waiting.delete(author)
  if (rest.length > 0) waiting.set(author, rest)
  return work ?? null
}
