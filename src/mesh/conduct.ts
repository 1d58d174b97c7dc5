import type { RejectReason } from '../model/announcement.ts'
import { conductSeconds, restartsMax, wordsPerMinuteMax, wordsTakenPerMinuteMax } from '../model/limits.ts'
import type { Sequence } from '../model/node.ts'

/** What no lnetd does: words that are refused, more of them than anything explains, a number no restarts lead to. */
export type Misdeed = RejectReason | 'flood' | 'excess' | 'far-sequence'

/** What one node did that is worth telling. Times are monotonic milliseconds. */
export interface Conduct {
  /** How often, and when last; of a flood, the most words in one minute. */
  readonly misdeeds: ReadonlyMap<Misdeed, { readonly times: number; readonly at: number }>
  /** Its words of the minute that began then. */
  readonly minuteSince: number
  readonly words: number
}

/** It said something that was taken. */
export function afterWord(before: Conduct | undefined, { incarnation }: Sequence, now: number): Conduct {
  const known = before ?? blameless(now)
  const isSameMinute = now - known.minuteSince < 60_000
  const words = isSameMinute ? known.words + 1 : 1
  const minuteSince = isSameMinute ? known.minuteSince : now
  const misdeeds = new Map(known.misdeeds)
  if (words > wordsPerMinuteMax)
    misdeeds.set('flood', { times: Math.max(words, timesOf(known, 'flood')), at: now })
  if (incarnation > restartsMax) misdeeds.set('far-sequence', { times: incarnation, at: now })
  return { misdeeds, minuteSince, words }
}

/** It signed what is refused, or passed it on: nobody else does that, for what is refused does not travel. */
export function afterRefusal(before: Conduct | undefined, reason: RejectReason, now: number): Conduct {
  const known = before ?? blameless(now)
  const misdeeds = new Map(known.misdeeds).set(reason, { times: timesOf(known, reason) + 1, at: now })
  return { ...known, misdeeds }
}

/** It speaks more often than anything explains, right now. */
export function isFlooding({ words, minuteSince }: Conduct, now: number): boolean {
  return words > wordsPerMinuteMax && now - minuteSince < 60_000
}

/** Nothing more of it is taken in this minute. */
export function saysTooMuch({ words, minuteSince }: Conduct, now: number): boolean {
  return words >= wordsTakenPerMinuteMax && now - minuteSince < 60_000
}

/** It sent more than a neighbour may, by the topic: in pieces that were dropped. */
export function afterExcess(before: Conduct | undefined, pieces: number, now: number): Conduct {
  const known = before ?? blameless(now)
  const misdeeds = new Map(known.misdeeds).set('excess', {
    times: timesOf(known, 'excess') + pieces,
    at: now,
  })
  return { ...known, misdeeds }
}

/** The evidence of the last ten minutes, each a part of a sentence whose subject is the node. */
export function evidence({ misdeeds }: Conduct, now: number): readonly string[] {
  return [...misdeeds]
    .filter(([, { at }]) => now - at <= conductSeconds * 1000)
    .map(([misdeed, { times }]) => sentences[misdeed](times))
    .sort()
}

const sentences: Record<Misdeed, (times: number) => string> = {
  flood: times => `spoke ${times} times within a minute`,
  excess: times => `sent ${times} messages more than a neighbour has to say`,
  'far-sequence': times => `counts ${times} restarts`,
  'foreign-author': times => `spoke in another node’s name (${times}×)`,
  'foreign-address': times => `announced another node’s VTEP address or MAC (${times}×)`,
  'over-limits': times => `announced more than an announcement may hold (${times}×)`,
  malformed: times => `sent what cannot be read (${times}×)`,
  oversized: times => `sent more bytes than an announcement may have (${times}×)`,
  'bad-signature': times => `passed on words with a broken signature (${times}×)`,
}

function blameless(now: number): Conduct {
  return { misdeeds: new Map(), minuteSince: now, words: 0 }
}

function timesOf({ misdeeds }: Conduct, misdeed: Misdeed): number {
  return misdeeds.get(misdeed)?.times ?? 0
}
