import type { Endpoint, HostPort } from '../model/address.ts'
import type { Announcement } from '../model/announcement.ts'
import {
  counterStartMax,
  impostorBidsMax,
  impostorBidsOfNewcomerMax,
  impostorMilliseconds,
  impostorMissesMax,
  impostorRepliesMax,
  impostorWordsMin,
  youngSeconds,
} from '../model/limits.ts'
import type { TwinAnswer } from '../model/neighbour.ts'
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
  /** When it was last found without a word of it: nobody else is there to hear it. */
  readonly metAt: number | null
  /** When the first of those bids came, this daemon had only just started: the other was here before. */
  readonly isNewcomer: boolean
  /** We leave the identity to it, and repeat what it says. */
  readonly yielding: boolean
  /** It answers at its own place, and how often in a row it did not since; null while it was never found there. */
  readonly missed: number | null
  /** We did so once: the next time we do it sooner. */
  readonly hasYielded: boolean
}

export const noImpostor: Impostor = {
  said: null,
  place: null,
  heardAt: [],
  bidsAt: [],
  metAt: null,
  isNewcomer: false,
  yielding: false,
  missed: null,
  hasYielded: false,
}

/**
 * A word with our id and a number above ours. The two outbid each other, each word above the last one heard, so that
 * one word of the one follows one of the other:
 *
 * | this machine | hears | becomes | and says |
 * | --- | --- | --- | --- |
 * | keeps the identity | a bid: another's facts | doubtful | its own facts, above it |
 * | a newcomer, or gave way before | the third bid | yielding | nothing, closes its tunnels, and then: an echo |
 * | any other | the fourth bid | yielding | the same |
 * | yielding | a bid | yielding | nothing before the next echo |
 * | yielding | nothing for two minutes, or no answer at the other's place any more | keeps the identity | its own facts, above the last |
 * | any | an echo: its own facts | keeps the identity | its own facts, above it |
 *
 * Bids alternate, so that both cannot have heard enough; a newcomer has when the other has not. An echo repeats the
 * other's facts under a higher number: nobody's kernel changes by it, the other knows that its identity is in use and
 * that its tunnels are its own again, and its answer tells that it still lives. The same value when it is no news.
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
  // As it was when this began: a fight that takes long does not make it older.
  const isNewcomer = bidsAt.length === 1 ? now - startedAt < youngSeconds * 1000 : before.isNewcomer
  const givesWaySoon = before.hasYielded || isNewcomer
  const yielding =
    before.yielding || bidsAt.length >= (givesWaySoon ? impostorBidsOfNewcomerMax : impostorBidsMax)
  const place = heard.endpoints[0]?.place ?? before.place
  return {
    ...before,
    said: heard,
    place,
    heardAt,
    bidsAt,
    isNewcomer,
    yielding,
    missed: before.yielding ? before.missed : null,
    hasYielded: before.hasYielded || yielding,
  }
}

/** Another machine proved to have our key. */
export function meetImpostor(before: Impostor, at: Endpoint, now: number): Impostor {
  return { ...before, place: before.place ?? (at as string as HostPort), metAt: now }
}

/** A single word above our own may be a copy of what we said before our state was lost; another one is not. */
export function isIdentityInUse({ heardAt, metAt, yielding }: Impostor, now: number): boolean {
  const wasMet = metAt !== null && now - metAt < impostorMilliseconds
  return yielding || wasMet || recent(heardAt, now).length >= impostorWordsMin
}

/** Outbid at once, or wait for the heartbeat: two that say the same would else talk without end. */
export function mayReply({ heardAt, yielding }: Impostor, now: number): boolean {
  return !yielding && recent(heardAt, now).length < impostorRepliesMax
}

/**
 * It was looked for at its own place. Where it answered before and nothing answers three times in a row, the identity is
 * ours again. Who never answered there may be behind a NAT; a machine that refuses has tunnels, though no daemon now.
 */
export function afterProbe(impostor: Impostor, answer: TwinAnswer): Impostor {
  const isNews = answer === 'speaks' || (answer === 'silence' && impostor.missed !== null)
  if (!impostor.yielding || !isNews) return impostor
  const missed = answer === 'speaks' ? 0 : (impostor.missed ?? 0) + 1
  if (missed < impostorMissesMax) return { ...impostor, missed }
  return { ...impostor, bidsAt: [], yielding: false, missed: null }
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
