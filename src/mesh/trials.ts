import type { Endpoint } from '../model/address.ts'
import {
  trialFreshSeconds,
  trialKeysMax,
  trialRetriesMax,
  trialStrangersMax,
  trialWindowSeconds,
  unprovenPeersMax,
} from '../model/limits.ts'
import type { WireguardPublicKey } from '../model/wireguard-key.ts'
import { begin, isRunning, type Newcomer, nextTrialAt, type Trial, TriedAddresses, untried } from './trial.ts'

/** Kept from decision to decision. Times are monotonic milliseconds. */
export interface Trials {
  readonly byKey: ReadonlyMap<WireguardPublicKey, Trial>
  /** When somebody last turned out to be there: the others may be, too. */
  readonly provenAt: number
}

export const noTrials: Trials = { byKey: new Map(), provenAt: Number.NEGATIVE_INFINITY }

export interface TrialsSight {
  /** Keys of all peers in the kernel. */
  readonly inKernel: ReadonlySet<WireguardPublicKey>
  /** Peers in the kernel that never shook hands and are no newcomers: they have to leave. */
  readonly strays: number
  readonly now: number
  readonly wallSeconds: number
}

export interface TrialChoice {
  readonly trials: Trials
  /** Tried now: with an endpoint of these, and spoken to. */
  readonly active: ReadonlyMap<WireguardPublicKey, readonly Endpoint[]>
  /** Only listened to: without an endpoint WireGuard sends nothing, and answers whoever holds the key. */
  readonly passive: ReadonlySet<WireguardPublicKey>
  /** When time alone may change the choice. */
  readonly dueAt: number
}

/**
 * Of all that is unproven a bounded number is in the kernel, and what is tried sends for a bounded time. INVARIANT:
 * never more than `unprovenPeersMax`, those included that have to leave first.
 */
export function chooseTrials(
  newcomers: readonly Newcomer[],
  before: Trials,
  sight: TrialsSight,
): TrialChoice {
  const { now } = sight
  const byKey = new Map(before.byKey)
  for (const newcomer of newcomers)
    if (!byKey.has(newcomer.publicKey)) byKey.set(newcomer.publicKey, untried(newcomer, now))
  const door = new Door(newcomers, sight)
  const active = new Map<WireguardPublicKey, readonly Endpoint[]>()
  const asked = [...newcomers].sort(byPromise(byKey, now))
  const addresses = new TriedAddresses(byKey, now)
  const { reserved, dueAt } = tryThem(asked, { byKey, active, door, addresses }, before.provenAt, now)
  const left = newcomers.filter(({ publicKey }) => !active.has(publicKey))
  const listened = left.sort(byTurn(sight)).slice(0, Math.max(0, unprovenPeersMax - reserved))
  const passive = new Set(
    listened.map(({ publicKey }) => publicKey).filter(publicKey => door.admits(publicKey)),
  )
  return { trials: { ...before, byKey: bounded(byKey, newcomers) }, active, passive, dueAt }
}

interface Draft {
  readonly byKey: Map<WireguardPublicKey, Trial>
  readonly active: Map<WireguardPublicKey, readonly Endpoint[]>
  readonly door: Door
  readonly addresses: TriedAddresses
}

/** Those under way, then those that are due, as far as there is room; who waits at the door begins when it is in. */
function tryThem(asked: readonly Newcomer[], draft: Draft, provenAt: number, now: number) {
  const { byKey, active, door, addresses } = draft
  const trialOf = ({ publicKey }: Newcomer) => byKey.get(publicKey) as Trial
  const running = asked.filter(each => isRunning(trialOf(each), now)).slice(0, unprovenPeersMax)
  const isQueue = asked.filter(each => trialOf(each).times === 0).length > unprovenPeersMax
  let strangers = running.filter(each => !each.isThere).length
  let retries = running.filter(each => trialOf(each).times > 1).length
  let reserved = running.length
  let dueAt = Number.POSITIVE_INFINITY
  for (const each of running) {
    const trial = trialOf(each)
    const { publicKey, places } = addresses.take(each)
    byKey.set(publicKey, { ...trial, places })
    dueAt = Math.min(dueAt, trial.endsAt)
    if (places.length > 0 && door.admits(publicKey)) active.set(publicKey, places)
  }
  for (const each of asked) {
    const trial = trialOf(each)
    if (isRunning(trial, now)) continue
    const at = nextTrialAt(each, trial, provenAt, now)
    const isRetry = trial.times > 0
    if (at > now) dueAt = Math.min(dueAt, at)
    const isFull = each.isThere ? reserved >= unprovenPeersMax : strangers >= trialStrangersMax
    if (at > now || isFull || (isRetry && retries >= trialRetriesMax)) continue
    const allowed = addresses.take(each)
    if (allowed.places.length === 0) continue
    reserved += 1
    if (!each.isThere) strangers += 1
    if (isRetry) retries += 1
    if (!door.admits(each.publicKey)) continue
    const begun = begin(trial, allowed, { isQueue, provenAt, now })
    byKey.set(each.publicKey, begun)
    active.set(each.publicKey, begun.places)
    dueAt = Math.min(dueAt, begun.endsAt)
  }
  return { reserved, dueAt }
}

/** Who is not in the kernel comes in only when as many have left it. */
class Door {
  readonly #inKernel: ReadonlySet<WireguardPublicKey>
  #room: number

  constructor(newcomers: readonly Newcomer[], { inKernel, strays }: TrialsSight) {
    this.#inKernel = inKernel
    const inside = newcomers.filter(({ publicKey }) => inKernel.has(publicKey)).length
    this.#room = unprovenPeersMax - inside - strays
  }

  admits(key: WireguardPublicKey): boolean {
    if (this.#inKernel.has(key)) return true
    if (this.#room <= 0) return false
    this.#room -= 1
    return true
  }
}

/** Who is there goes first, who was tried least, who spoke lately; the rest by a rank that is the other side's as well. */
function byPromise(trials: ReadonlyMap<WireguardPublicKey, Trial>, now: number) {
  const isFresh = ({ heardAt }: Newcomer) => now - heardAt < trialFreshSeconds * 1000
  const times = new Map([...trials].map(([key, trial]) => [key, trial.times]))
  const timesOf = ({ publicKey }: Newcomer) => times.get(publicKey) ?? 0
  return (a: Newcomer, b: Newcomer) =>
    Number(b.isThere) - Number(a.isThere) ||
    timesOf(a) - timesOf(b) ||
    Number(isFresh(b)) - Number(isFresh(a)) ||
    a.rank - b.rank ||
    (a.publicKey < b.publicKey ? -1 : 1)
}

/** Who is only listened to changes from time to time, at both ends alike as far as their clocks agree. */
function byTurn({ now, wallSeconds }: TrialsSight) {
  const turn = Math.imul(Math.floor(wallSeconds / trialWindowSeconds.turn), 0x9e3779b1)
  const turned = ({ rank }: Newcomer) => Math.imul(rank ^ turn, 0x85ebca6b) >>> 0
  const isFresh = ({ heardAt }: Newcomer) => now - heardAt < trialFreshSeconds * 1000
  return (a: Newcomer, b: Newcomer) =>
    Number(b.isThere) - Number(a.isThere) ||
    Number(isFresh(b)) - Number(isFresh(a)) ||
    turned(a) - turned(b) ||
    (a.publicKey < b.publicKey ? -1 : 1)
}

/** What was found out outlives the member for a while: who is forgotten and told of again is no newcomer. */
function bounded(
  byKey: ReadonlyMap<WireguardPublicKey, Trial>,
  newcomers: readonly Newcomer[],
): ReadonlyMap<WireguardPublicKey, Trial> {
  const excess = byKey.size - Math.max(trialKeysMax, newcomers.length)
  if (excess <= 0) return byKey
  const present = new Set(newcomers.map(({ publicKey }) => publicKey))
  const gone = new Set([...byKey.keys()].filter(key => !present.has(key)).slice(0, excess))
  return new Map([...byKey].filter(([key]) => !gone.has(key)))
}
