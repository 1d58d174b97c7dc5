import {
  bootstrapAgainSecondsMin,
  bootstrapAgainSecondsPerMember,
  dialsAtOnceMax,
  handshakeFailuresMin,
  neighboursEnough,
  redialEagerMillisecondsMax,
  redialEagerSeconds,
  redialMillisecondsMax,
  redialMillisecondsMin,
  searchMillisecondsMax,
  searchMillisecondsMin,
  searchMillisecondsPerNode,
  shortConnectionSeconds,
  untriedMilliseconds,
  untriedMillisecondsEnough,
} from '../model/limits.ts'

/** Somewhere we have no connection to: a bootstrap place as configured, or a node id. */
export interface DialTarget {
  readonly key: string
  /** Dialled until it answers; the others only while there are too few neighbours. */
  readonly wanted: boolean
}

/** How dialling a target went so far. Times are monotonic milliseconds. */
export interface DialRecord {
  readonly failures: number
  /** Failures in a row where TCP stood and the private network's handshake did not. */
  readonly handshakeFailures: number
  readonly firstFailedAt: number
  readonly lastTriedAt: number
  readonly nextAt: number
  /** When it answered; null while it does not. */
  readonly answeredAt: number | null
  readonly error: string
}

export interface DialFailure {
  readonly error: string
  readonly handshake: boolean
}

export interface DialSituation {
  readonly records: ReadonlyMap<string, DialRecord>
  /** Keys of dials under way. */
  readonly dialling: ReadonlySet<string>
  /** How many neighbours there are. */
  readonly connected: number
  /** When a target without a record was dialled last. */
  readonly untriedAt: number
  readonly now: number
}

/** Which targets to dial now, of those given in order of preference: wanted ones first, no more than there is room for. */
export function dueTargets<Target extends DialTarget>(
  targets: readonly Target[],
  situation: DialSituation,
): readonly Target[] {
  const { dialling, connected, now } = situation
  const due = targets.filter(({ key }) => !dialling.has(key) && dueAt(key, situation) <= now)
  const room = Math.max(0, dialsAtOnceMax - dialling.size)
  const wanted = (due.some(target => target.wanted) ? due : searched(targets, situation))
    .filter(target => target.wanted)
    .slice(0, room)
  const lacking = neighboursEnough - connected - dialling.size - wanted.length
  const spare = due.filter(target => !target.wanted)
  const chosen = [...wanted, ...spare.slice(0, Math.max(0, Math.min(lacking, room - wanted.length)))]
  return inTurn(chosen, situation)
}

/** When to look again: the earliest moment one of the targets that would be dialled falls due, or null. */
export function nextDueAt(targets: readonly DialTarget[], situation: DialSituation): number | null {
  const isEnough = situation.connected + situation.dialling.size >= neighboursEnough
  const waiting = targets.filter(({ key, wanted }) => !situation.dialling.has(key) && (wanted || !isEnough))
  const times = waiting.map(({ key }) => dueAt(key, situation))
  return times.length === 0 ? null : Math.min(searchDueAt(targets, situation), ...times)
}

/**
 * Doubles the wait from 0.1-0.3 s, with jitter, to 5 s while the target fails for less than five minutes, then to
 * 30 s. `random` is in [0, 1).
 */
export function afterFailure(
  before: DialRecord | undefined,
  failure: DialFailure,
  now: number,
  random: number,
): DialRecord {
  const failures = (before?.failures ?? 0) + 1
  const firstFailedAt = before?.firstFailedAt ?? now
  const eager = now - firstFailedAt < redialEagerSeconds * 1000
  const longest = eager ? redialEagerMillisecondsMax : redialMillisecondsMax
  const wait = Math.min(longest, redialMillisecondsMin * 2 ** Math.min(failures, 20))
  return {
    failures,
    handshakeFailures: failure.handshake ? (before?.handshakeFailures ?? 0) + 1 : 0,
    firstFailedAt,
    lastTriedAt: now,
    nextAt: now + wait * (0.5 + random),
    answeredAt: null,
    error: failure.error,
  }
}

/** It answered: what is known of it is kept until the connection has lasted. */
export function afterAnswer(before: DialRecord | undefined, now: number): DialRecord {
  const first = { failures: 0, firstFailedAt: now, lastTriedAt: now, nextAt: now, error: '' }
  return { ...(before ?? first), handshakeFailures: 0, answeredAt: now }
}

/**
 * The connection it led to is over. One that stood for a while is forgotten; a short one counts as a failure, so that
 * two machines with one identity do not push each other out without a pause. Null: nothing is known of it.
 */
export function afterEnd(record: DialRecord, now: number, random: number): DialRecord | null {
  if (record.answeredAt === null) return record
  if (now - record.answeredAt >= shortConnectionSeconds * 1000) return null
  return afterFailure(record, { error: 'the connection ended at once', handshake: false }, now, random)
}

/** How long a bootstrap place that answered is left alone while there are enough neighbours, milliseconds. */
export function bootstrapRestMilliseconds(members: number): number {
  return Math.max(bootstrapAgainSecondsMin, members * bootstrapAgainSecondsPerMember) * 1000
}

/** The same record with its waiting over: something changed, and it may answer now. */
export function withFreshBackoff(record: DialRecord, now: number): DialRecord {
  return { ...record, failures: 0, firstFailedAt: now, nextAt: now }
}

/** A key that does not match looks like a reset or a timeout in the handshake, again and again. */
export function secretMayDiffer(record: DialRecord): boolean {
  return record.handshakeFailures >= handshakeFailuresMin
}

/** After a split of hours all wait long: the one tried longest ago is due, so that the two sides find each other soon. */
function searched<Target extends DialTarget>(
  targets: readonly Target[],
  situation: DialSituation,
): readonly Target[] {
  if (searchDueAt(targets, situation) > situation.now) return []
  const wanted = targets.filter(target => target.wanted)
  const triedAt = ({ key }: DialTarget) => situation.records.get(key)?.lastTriedAt ?? situation.now
  return [wanted.reduce((a, b) => (triedAt(b) < triedAt(a) ? b : a))]
}

/** In a large mesh many search, and each can take its time. Infinity when nothing is there to be searched for. */
function searchDueAt(
  targets: readonly DialTarget[],
  { records, dialling, connected }: DialSituation,
): number {
  const tried = targets
    .filter(({ wanted }) => wanted)
    .flatMap(({ key }) => records.get(key)?.lastTriedAt ?? [])
  if (tried.length === 0 || dialling.size > 0) return Number.POSITIVE_INFINITY
  const wait = searchMillisecondsPerNode * (targets.length + connected)
  return Math.max(...tried) + Math.min(searchMillisecondsMax, Math.max(searchMillisecondsMin, wait))
}

/**
 * Who was never tried waits for its turn where there is a neighbour already. While a mesh forms, whom a node wants
 * changes with everyone it hears of: without turns each dialled nearly all others, and that was most of the time it took.
 */
function dueAt(key: string, { records, connected, untriedAt, now }: DialSituation): number {
  const record = records.get(key)
  if (record !== undefined) return record.nextAt
  if (connected === 0) return now
  return Math.max(
    now,
    untriedAt + (connected < neighboursEnough ? untriedMilliseconds : untriedMillisecondsEnough),
  )
}

/** Of those who were never tried the first alone, except where there is no neighbour yet. */
function inTurn<Target extends DialTarget>(
  targets: readonly Target[],
  { records, connected }: DialSituation,
): readonly Target[] {
  if (connected === 0) return targets
  const first = targets.find(({ key }) => !records.has(key))
  return targets.filter(target => target === first || records.has(target.key))
}
