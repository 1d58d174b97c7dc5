import {
  afterAnswer,
  afterEnd,
  afterFailure,
  type DialRecord,
  dueTargets,
  nextDueAt,
  secretMayDiffer,
  withFreshBackoff,
} from '../mesh/redial.ts'
import { compareText } from '../model/address.ts'
import type { DialReport } from '../model/neighbour.ts'
import type { NodeId } from '../model/node.ts'
import { type Dialler, type DialOutcome, dialAddresses } from './dial.ts'
import { type Admits, leadsHere } from './interfaces.ts'
import type { DialCandidate, GossipOptions } from './port.ts'
import { type Target, TargetBook } from './targets.ts'

/** Looks for neighbours for ever. */
export interface Redial {
  /** Looks at once, keeping the waiting times. */
  look(): void
  /** Looks at once, all waiting times over. */
  refresh(): void
  reports(): readonly DialReport[]
  /** Bootstrap places that are this node itself, as configured. */
  ownPlaces(): readonly string[]
  /** Known outside of any announcement: by multicast. */
  discovered(node: NodeId, addresses: readonly string[], sender: string): void
  stop(): void
}

/** Who could be a neighbour, and who is one. */
export interface Neighbourhood {
  candidates(): readonly DialCandidate[]
  /** Node ids of those with a connection, or about to have one. */
  connected(): ReadonlySet<string>
}

const lookMillisecondsMax = 5000
const lookMillisecondsMin = 20
const refreshMillisecondsMin = 1000

export function startRedial(
  dialler: Dialler,
  options: GossipOptions,
  neighbourhood: Neighbourhood,
  admits: Admits,
): Redial {
  const redialling = new Redialling(dialler, options, neighbourhood, admits)
  redialling.look()
  return redialling
}

class Redialling implements Redial {
  private readonly dialler: Dialler
  private readonly options: GossipOptions
  private readonly neighbourhood: Neighbourhood
  private readonly book: TargetBook
  private readonly records = new Map<string, DialRecord>()
  private readonly dialling = new Set<string>()
  private readonly stopping = new AbortController()
  private timer: NodeJS.Timeout | null = null
  private refreshedAt = Number.NEGATIVE_INFINITY
  private untriedAt = Number.NEGATIVE_INFINITY

  constructor(dialler: Dialler, options: GossipOptions, neighbourhood: Neighbourhood, admits: Admits) {
    this.dialler = dialler
    this.options = options
    this.neighbourhood = neighbourhood
    this.book = new TargetBook(options.bootstrap, options.resolve, admits, address =>
      leadsHere(address, options),
    )
  }

  look(): void {
    this.lookIn(lookMillisecondsMin)
  }

  refresh(): void {
    const now = this.options.now()
    if (now - this.refreshedAt >= refreshMillisecondsMin) {
      this.refreshedAt = now
      this.book.forgetOurselves()
      for (const [key, record] of this.records) this.records.set(key, withFreshBackoff(record, now))
    }
    this.look()
  }

  ownPlaces(): readonly string[] {
    return this.book.ownPlaces()
  }

  reports(): readonly DialReport[] {
    const connected = this.neighbourhood.connected()
    return [...this.records]
      .filter(([key]) => !this.book.isConnected(key, connected))
      .map(([target, record]) => ({
        target,
        direction: 'outbound' as const,
        failures: record.failures,
        lastTriedAt: record.lastTriedAt,
        error: record.error,
        answers: record.handshakeFailures > 0,
        secretMayDiffer: secretMayDiffer(record),
      }))
      .sort((a, b) => compareText(a.target, b.target))
  }

  discovered(node: NodeId, addresses: readonly string[], sender: string): void {
    this.book.discovered(node, addresses, sender)
    this.look()
  }

  stop(): void {
    this.stopping.abort()
    if (this.timer !== null) clearTimeout(this.timer)
  }

  private lookIn(milliseconds: number): void {
    if (this.stopping.signal.aborted) return
    if (this.timer !== null) clearTimeout(this.timer)
    this.timer = setTimeout(() => this.dialDue(), milliseconds)
  }

  private dialDue(): void {
    const now = this.options.now()
    const connected = this.neighbourhood.connected()
    const targets = this.book.targets(
      this.neighbourhood.candidates(),
      this.dialler.swarm.peerId.toString(),
      connected,
      now,
    )
    this.forgetOthers(targets, connected)
    this.noteEnds(connected, now)
    const situation = () => {
      const { records, dialling, untriedAt } = this
      return { records, dialling, connected: connected.size, untriedAt, now }
    }
    for (const target of dueTargets(targets, situation())) void this.dial(target)
    const dueAt = nextDueAt(targets, situation())
    const wait = dueAt === null ? lookMillisecondsMax : dueAt - now
    this.lookIn(Math.min(lookMillisecondsMax, Math.max(lookMillisecondsMin, wait)))
  }

  private async dial(target: Target): Promise<void> {
    this.dialling.add(target.key)
    if (!this.records.has(target.key)) this.untriedAt = this.options.now()
    const slots = target.node === null ? null : this.dialler.slots
    const outcome = await dialAddresses(this.dialler, target.addresses(), this.stopping.signal, slots)
    this.dialling.delete(target.key)
    if (this.stopping.signal.aborted) return
    this.settle(target, outcome)
    this.look()
  }

  private settle(target: Target, outcome: DialOutcome): void {
    const now = this.options.now()
    if (outcome.ok && (target.node === null || target.node === outcome.node)) {
      this.records.set(target.key, afterAnswer(this.records.get(target.key), now))
      if (target.node === null) this.book.answered(target.key, outcome.node, now)
      return
    }
    if (!outcome.ok && outcome.isSelf && target.node === null) this.book.isOurselves(target.key)
    if (this.book.isOwnPlace(target.key)) {
      this.records.delete(target.key)
      return
    }
    const failure = outcome.ok
      ? { error: `another node answers there: ${outcome.node}`, handshake: false }
      : outcome.failure
    this.records.set(
      target.key,
      afterFailure(this.records.get(target.key), failure, now, this.options.random()),
    )
  }

  private forgetOthers(targets: readonly Target[], connected: ReadonlySet<string>): void {
    const keys = new Set(targets.map(({ key }) => key))
    for (const key of this.records.keys())
      if (!keys.has(key) && !this.book.isConnected(key, connected)) this.records.delete(key)
  }

  private noteEnds(connected: ReadonlySet<string>, now: number): void {
    for (const [key, record] of this.records) {
      if (this.book.isConnected(key, connected)) continue
      const after = afterEnd(record, now, this.options.random())
      if (after === null) this.records.delete(key)
      else this.records.set(key, after)
    }
  }
}
