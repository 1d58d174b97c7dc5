import type { HostPort } from '../model/address.ts'
import type { Announcement } from '../model/announcement.ts'
import {
  counterStartMax,
  impostorBidsMax,
  impostorBidsOfYoungMax,
  impostorMilliseconds,
  impostorRepliesMax,
  impostorWordsMin,
  youngSeconds,
} from '../model/limits.ts'
import { compareSequence, type Sequence } from '../model/node.ts'
import { encodeAnnouncement } from './codec.ts'

/** Another machine that speaks with our id: a cloned disk. Times are monotonic milliseconds. */
export interface Impostor {
  /** What it said last; null when it was never heard. */
  readonly said: Announcement | null
  /** Where it says it is. */
  readonly place: HostPort | null
  /** When it said something new, the latest last. */
  readonly heardAt: readonly number[]
  /** The same for what it said of itself, and did not merely repeat of us. */
  readonly bidsAt: readonly number[]
  /** We leave the identity to it, and repeat what it says. */
  readonly yielding: boolean
  /** We did so once: the next time we do it sooner. */
  readonly hasYielded: boolean
}

export const noImpostor: Impostor = {
  said: null,
  place: null,
  heardAt: [],
  bidsAt: [],
  yielding: false,
  hasYielded: false,
}

/**
 * A word with our id and a number above ours. Both machines outbid the other, in turn, until one gives way: the one
 * that has run for a short time only, else whoever has heard enough first. From then on it says nothing of its own,
 * but repeats the other's words under higher numbers: nobody's kernel changes by that, the other goes on hearing
 * that its identity is in use, and answers, which tells that it still lives. The same value when it is no news.
 */
export function hearImpostor(
  before: Impostor,
  heard: Announcement,
  own: Announcement | null,
  startedAt: number,
  now: number,
): Impostor {
  if (before.said !== null && compareSequence(heard.sequence, before.said.sequence) <= 0) return before
  const heardAt = [...recent(before.heardAt, now), now].slice(-impostorRepliesMax)
  // Our own facts in its mouth: it has given way. A farewell ends what it wants as well.
  if (heard.left || (own !== null && isSameText(heard, own)))
    return { ...before, said: heard, heardAt, bidsAt: [], yielding: false }
  const bidsAt = [...recent(before.bidsAt, now), now].slice(-impostorBidsMax)
  const isYoung = before.hasYielded || now - startedAt < youngSeconds * 1000
  const yielding = before.yielding || bidsAt.length >= (isYoung ? impostorBidsOfYoungMax : impostorBidsMax)
  const place = heard.endpoints[0]?.place ?? before.place
  return { said: heard, place, heardAt, bidsAt, yielding, hasYielded: before.hasYielded || yielding }
}

/** A single word above our own may be a copy of what we said before our state was lost; another one is not. */
export function isIdentityInUse({ heardAt, yielding }: Impostor, now: number): boolean {
  return yielding || recent(heardAt, now).length >= impostorWordsMin
}

/** Outbid at once, or wait for the heartbeat: two that say the same would else talk without end. */
export function mayReply({ heardAt, yielding }: Impostor, now: number): boolean {
  return !yielding && recent(heardAt, now).length < impostorRepliesMax
}

/** It does not answer any more: the identity is ours again. The same value while it does. */
export function outlive(impostor: Impostor, now: number): Impostor {
  if (!impostor.yielding || recent(impostor.heardAt, now).length > 0) return impostor
  return { ...impostor, bidsAt: [], yielding: false }
}

/**
 * The first number of an incarnation. Not zero: two machines with one disk would say different things under the
 * same number, and nobody would notice. `random` is in [0, 1).
 */
export function firstSequence(incarnation: number, random: number): Sequence {
  return { incarnation, counter: Math.floor(random * counterStartMax) }
}

/** By their bytes: what we compose and what was decoded differ in form. */
function isSameText(a: Announcement, b: Announcement): boolean {
  const [one, other] = [a, b].map(each =>
    encodeAnnouncement({ ...each, sequence: { incarnation: 0, counter: 0 }, heartbeatSeconds: 1 }),
  ) as [Uint8Array, Uint8Array]
  return one.length === other.length && one.every((byte, index) => byte === other[index])
}

function recent(times: readonly number[], now: number): readonly number[] {
  return times.filter(at => now - at < impostorMilliseconds)
}
