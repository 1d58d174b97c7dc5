import { type Endpoint, hostAddress } from '../model/address.ts'
import {
  trialPauseSeconds,
  trialsPerAddressMax,
  trialsPerAddressSeconds,
  trialWindowSeconds,
  unprovenSecondsMax,
} from '../model/limits.ts'
import type { WireguardPublicKey } from '../model/wireguard-key.ts'

/** What was done to find out whether anybody holds a key. Times are monotonic milliseconds. */
export interface Trial {
  readonly knownSince: number
  /** How often it was tried; when the last time began, and ends. */
  readonly times: number
  readonly beganAt: number
  readonly endsAt: number
  /** What is tried, best first. */
  readonly places: readonly Endpoint[]
  /** What it announced when that began. */
  readonly announced: string
}

/** A key that never shook hands, and what speaks for trying it. */
export interface Newcomer {
  readonly publicKey: WireguardPublicKey
  /** The same at both ends, so that both choose each other. */
  readonly rank: number
  readonly places: readonly Endpoint[]
  /** Changes with what it announces of its places, and with each start. */
  readonly announced: string
  readonly heardAt: number
  /** It holds a gossip connection with us, or its packets come in: it is there. */
  readonly isThere: boolean
}

/** Short trials of one key while a crowd is sorted out. */
const firstTrialsMax = 4

export function untried({ announced }: Newcomer, now: number): Trial {
  return { knownSince: now, times: 0, beganAt: Number.NEGATIVE_INFINITY, endsAt: now, places: [], announced }
}

export function isRunning({ times, endsAt }: Trial, now: number): boolean {
  return times > 0 && now < endsAt
}

/** `isQueue`: others wait for their turn. Where nobody does, the other side gets time to hear of us. */
export function begin(
  trial: Trial,
  newcomer: Newcomer,
  { isQueue, provenAt, now }: { readonly isQueue: boolean; readonly provenAt: number; readonly now: number },
): Trial {
  const { places, announced } = newcomer
  const { min, perPlace, max } = trialWindowSeconds
  const isPatient = !isQueue && trial.times === 0
  const seconds = isPatient ? max : Math.min(min + perPlace * (places.length - 1), max)
  const last = Math.max(trial.knownSince, provenAt) + unprovenSecondsMax * 1000
  const endsAt = now + seconds * 1000
  return {
    ...trial,
    times: trial.times + 1,
    beganAt: now,
    endsAt: now < last ? Math.min(endsAt, last) : endsAt,
    ...{ places, announced },
  }
}

/**
 * The first time at once, as long as others turn out to be there; after that in growing pauses. What it says or does
 * itself makes them shorter, and its heartbeats a little: nobody buys trials by speaking often. `provenAt`: when
 * somebody last turned out to be there.
 */
export function nextTrialAt(newcomer: Newcomer, trial: Trial, provenAt: number, now: number): number {
  const { knownSince, times, endsAt } = trial
  if (newcomer.places.length === 0) return Number.POSITIVE_INFINITY
  const firstMilliseconds = (unprovenSecondsMax - trialWindowSeconds.min) * 1000
  const isFirst = now <= Math.max(knownSince, provenAt) + firstMilliseconds
  if (times === 0 && isFirst) return now
  // In a crowd the two sides may have missed each other's turns.
  if (isFirst && times < firstTrialsMax && endsAt - trial.beganAt < trialWindowSeconds.max * 1000)
    return endsAt
  const after = times === 0 ? knownSince + unprovenSecondsMax * 1000 : endsAt
  const pause = ({ min, max }: { readonly min: number; readonly max: number }) =>
    after + Math.min(max, min * 2 ** Math.max(0, times - 1)) * 1000
  if (newcomer.isThere || newcomer.announced !== trial.announced) return pause(trialPauseSeconds.news)
  return pause(newcomer.heardAt > after ? trialPauseSeconds.heartbeat : trialPauseSeconds.silence)
}

/** How many keys are tried at one address: so that nobody makes a whole mesh knock at somebody's door. */
export class TriedAddresses {
  readonly #keys = new Map<string, Set<WireguardPublicKey>>()

  constructor(trials: ReadonlyMap<WireguardPublicKey, Trial>, now: number) {
    for (const [key, { beganAt, places }] of trials)
      if (now - beganAt < trialsPerAddressSeconds * 1000) for (const place of places) this.#at(place).add(key)
  }

  /** The newcomer with the places that it may be tried at. */
  take(newcomer: Newcomer): Newcomer {
    const places = newcomer.places.filter(place => {
      const keys = this.#at(place)
      if (!keys.has(newcomer.publicKey) && keys.size >= trialsPerAddressMax) return false
      keys.add(newcomer.publicKey)
      return true
    })
    return places.length === newcomer.places.length ? newcomer : { ...newcomer, places }
  }

  #at(place: Endpoint): Set<WireguardPublicKey> {
    const address = hostAddress(place) ?? place
    const keys = this.#keys.get(address) ?? new Set()
    this.#keys.set(address, keys)
    return keys
  }
}
