import {
  afterFailure,
  type DialRecord,
  type DialTarget,
  dueTargets,
  nextDueAt,
  secretMayDiffer,
  withFreshBackoff,
} from '../mesh/redial.ts'
import { compareText } from '../model/address.ts'
import { bootstrapAgainSeconds, discoveredNodesMax, neighbourDegree } from '../model/limits.ts'
import type { DialReport } from '../model/neighbour.ts'
import type { NodeId } from '../model/node.ts'
import { type DialOutcome, dialAddresses } from './dial.ts'
import { bootstrapKey, dialableAddresses, type Resolve } from './places.ts'
import type { DialCandidate, GossipOptions } from './port.ts'
import { isInsideAddress, type Swarm } from './swarm.ts'

/** Looks for neighbours for ever. */
export interface Redial {
  /** Looks at once, keeping the waiting times. */
  look(): void
  /** Looks at once, all waiting times over. */
  refresh(): void
  reports(): readonly DialReport[]
  /** Known outside of any announcement: by multicast. */
  discovered(node: NodeId, addresses: readonly string[]): void
  stop(): void
}

type Target = DialTarget & {
  readonly node: NodeId | null
  readonly addresses: () => Promise<readonly string[]>
}

const lookMillisecondsMax = 5000
const lookMillisecondsMin = 20
const refreshMillisecondsMin = 1000

export function startRedial(
  swarm: Swarm,
  options: GossipOptions,
  candidates: () => readonly DialCandidate[],
  resolve: Resolve,
): Redial {
  const redialling = new Redialling(swarm, options, candidates, resolve)
  redialling.look()
  return redialling
}

class Redialling implements Redial {
  private readonly swarm: Swarm
  private readonly options: GossipOptions
  private readonly candidates: () => readonly DialCandidate[]
  private readonly resolve: Resolve
  private readonly records = new Map<string, DialRecord>()
  private readonly dialling = new Set<string>()
  /** Who answered at a bootstrap place, and when. */
  private readonly reached = new Map<string, { readonly node: NodeId; readonly at: number }>()
  private readonly found = new Map<NodeId, readonly string[]>()
  /** Bootstrap places that turned out to be this node. */
  private readonly ourselves = new Set<string>()
  private readonly stopping = new AbortController()
  private timer: NodeJS.Timeout | null = null
  private refreshedAt = Number.NEGATIVE_INFINITY

  constructor(
    swarm: Swarm,
    options: GossipOptions,
    candidates: () => readonly DialCandidate[],
    resolve: Resolve,
  ) {
    this.swarm = swarm
    this.options = options
    this.candidates = candidates
    this.resolve = resolve
  }

  look(): void {
    this.lookIn(lookMillisecondsMin)
  }

  refresh(): void {
    const now = this.options.now()
    if (now - this.refreshedAt >= refreshMillisecondsMin) {
      this.refreshedAt = now
      this.ourselves.clear()
      for (const [key, record] of this.records) this.records.set(key, withFreshBackoff(record, now))
    }
    this.look()
  }

  reports(): readonly DialReport[] {
    const connected = this.connected()
    return [...this.records]
      .filter(([key]) => !connected.has(key) && !connected.has(this.reached.get(key)?.node ?? ''))
      .map(([target, record]) => ({
        target,
        failures: record.failures,
        lastTriedAt: record.lastTriedAt,
        error: record.error,
        secretMayDiffer: secretMayDiffer(record),
      }))
      .sort((a, b) => compareText(a.target, b.target))
  }

  discovered(node: NodeId, addresses: readonly string[]): void {
    this.found.delete(node)
    this.found.set(node, addresses)
    const [oldest] = this.found.keys()
    if (this.found.size > discoveredNodesMax && oldest !== undefined) this.found.delete(oldest)
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
    const connected = this.connected()
    const targets = this.targets(connected, now)
    const situation = { records: this.records, dialling: this.dialling, connected: connected.size, now }
    this.forgetOthers(targets)
    for (const target of dueTargets(targets, situation)) void this.dial(target as Target)
    const dueAt = nextDueAt(
      targets.filter(({ wanted }) => wanted || connected.size < neighbourDegree),
      situation,
    )
    const wait = dueAt === null ? lookMillisecondsMax : dueAt - now
    this.lookIn(Math.min(lookMillisecondsMax, Math.max(lookMillisecondsMin, wait)))
  }

  private async dial(target: Target): Promise<void> {
    this.dialling.add(target.key)
    const outcome = await this.tryTarget(target)
    this.dialling.delete(target.key)
    if (this.stopping.signal.aborted) return
    this.settle(target, outcome)
    this.look()
  }

  private async tryTarget(target: Target): Promise<DialOutcome> {
    try {
      const ours = new Set(
        this.swarm.getMultiaddrs().map(address => address.toString().replace(/\/p2p\/.*$/, '')),
      )
      const addresses = (await target.addresses()).filter(
        address => !isInsideAddress(this.options, address) && !ours.has(address),
      )
      return await dialAddresses(this.swarm, [...new Set(addresses)], this.stopping.signal)
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error)
      return { ok: false, isSelf: false, failure: { error: text.slice(0, 200), handshake: false } }
    }
  }

  private settle(target: Target, outcome: DialOutcome): void {
    const now = this.options.now()
    if (outcome.ok && (target.node === null || target.node === outcome.node)) {
      this.records.delete(target.key)
      if (target.node === null) this.reached.set(target.key, { node: outcome.node, at: now })
      return
    }
    if (!outcome.ok && outcome.isSelf && target.node === null) {
      this.ourselves.add(target.key)
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

  private targets(connected: ReadonlySet<string>, now: number): readonly Target[] {
    const self = this.swarm.peerId.toString()
    const known = this.candidates().map(candidate => this.candidateTarget(candidate))
    const keys = new Set(known.map(({ key }) => key))
    const found = [...this.found]
      .map(([node, addresses]) => this.candidateTarget({ node, addresses, wanted: false }))
      .filter(({ key }) => !keys.has(key))
    const members = [...known, ...found].filter(({ key }) => key !== self && !connected.has(key))
    return [...this.bootstrapTargets(connected, now), ...members]
  }

  private candidateTarget({ node, addresses, wanted }: DialCandidate): Target {
    const place = { kind: 'addresses', addresses } as const
    return { key: node, node, wanted, addresses: () => dialableAddresses(place, this.resolve) }
  }

  /** With enough neighbours a bootstrap place is asked rarely: then only to hear of another part of a split mesh. */
  private bootstrapTargets(connected: ReadonlySet<string>, now: number): readonly Target[] {
    return this.options.bootstrap.flatMap(place => {
      const key = bootstrapKey(place)
      const reached = this.reached.get(key)
      if (this.ourselves.has(key) || (reached !== undefined && connected.has(reached.node))) return []
      const rested = reached === undefined || now - reached.at > bootstrapAgainSeconds * 1000
      const wanted = connected.size < neighbourDegree || rested
      return wanted
        ? [{ key, node: null, wanted, addresses: () => dialableAddresses(place, this.resolve) }]
        : []
    })
  }

  private forgetOthers(targets: readonly Target[]): void {
    const keys = new Set(targets.map(({ key }) => key))
    for (const key of this.records.keys()) if (!keys.has(key)) this.records.delete(key)
  }

  private connected(): ReadonlySet<string> {
    return new Set(this.swarm.getPeers().map(String))
  }
}
