import type { Gossip, GossipHandlers, OpenedSyncedEnvelope } from '../../src/gossip/port.ts'
import {
  answerSync,
  endsSweep,
  hashMessage,
  isSameHash,
  type Sweep,
  type SweepEnd,
  sweep,
} from '../../src/mesh/exchange.ts'
import {
  afterFailure,
  type DialRecord,
  type DialTarget,
  dueTargets,
  nextDueAt,
  withFreshBackoff,
} from '../../src/mesh/redial.ts'
import {
  decodeSyncMessage,
  encodeSyncMessage,
  type SyncedEnvelope,
  type SyncMessage,
} from '../../src/mesh/sync.ts'
import { nextLink, overdueLinks } from '../../src/mesh/sync-turns.ts'
import type { Envelope, OpenedEnvelope } from '../../src/model/announcement.ts'
import {
  neighboursEnough,
  syncCascadeMillisecondsMax,
  syncCascadeMillisecondsMin,
  syncIntervalSecondsMax,
  syncIntervalSecondsMin,
  syncProbeSecondsMax,
  syncRoundsMax,
  syncTickSeconds,
} from '../../src/model/limits.ts'
import type { DialReport, Neighbour, TwinAnswer } from '../../src/model/neighbour.ts'
import type { NodeId } from '../../src/model/node.ts'
import { type MemoryGossipNetwork, openFake, sealFake } from './gossip.ts'
import { Standstill } from './standstill.ts'
import { missingFromTopic, surplusInTopic, TopicMessage } from './topic.ts'

/** One side's view of a connection; both views carry its number. */
interface Link {
  readonly other: NodeId
  readonly number: number
  readonly direction: 'inbound' | 'outbound'
  heardAt: number
  /** Topic messages are passed on over it at once. The same on both sides. */
  inTopic: boolean
  asking: boolean
  askAgain: boolean
  /** What the other side asked last was the end of its set. */
  finishes: boolean
}

/** When a node tells one of the other neighbours what it heard. */
const topicOfferMilliseconds = 2000
const lookMilliseconds = 5000
const lookMillisecondsMin = 20
/** Around one message on the real wire, there and back: Ethernet, IPv6, TCP, Noise, yamux, and its acknowledgement. */
const framingBytes = 210
/** A message's name, where it is offered or asked for. */
const offerBytes = framingBytes + 24
let connections = 0

export class FakeNode implements Gossip {
  readonly node: NodeId
  /** In order of starts. */
  readonly number: number
  isUp = true
  isRunning = true
  readonly standstill = new Standstill()
  private readonly network: MemoryGossipNetwork
  private readonly handlers: GossipHandlers
  private readonly bootstrap: readonly NodeId[]
  private readonly links = new Map<NodeId, Link>()
  private readonly records = new Map<string, DialRecord>()
  private readonly dialling = new Set<string>()
  private untriedAt = Number.NEGATIVE_INFINITY
  private lookingAgainAt = Number.NEGATIVE_INFINITY
  private nextAskAt = 0
  /** Who brought news that the other neighbours may lack. */
  private readonly sources = new Set<NodeId>()

  constructor(
    network: MemoryGossipNetwork,
    node: NodeId,
    handlers: GossipHandlers,
    bootstrap: readonly NodeId[],
  ) {
    this.network = network
    this.node = node
    this.number = network.started
    this.handlers = handlers
    this.bootstrap = bootstrap.filter(other => other !== node)
  }

  start(): void {
    this.later(0, () => this.look())
    this.everyLook()
    this.nextAskAt = this.network.time.now() + this.interval()
    this.everyTick()
  }

  seal(payload: Uint8Array): Promise<Envelope> {
    return Promise.resolve(sealFake(this.node, payload))
  }

  open(envelope: Envelope): Promise<OpenedEnvelope | null> {
    return Promise.resolve(openFake(envelope))
  }

  publish(envelope: Envelope): Promise<void> {
    const opened = openFake(envelope)
    if (opened !== null) this.spread(new TopicMessage(envelope, opened), null)
    return Promise.resolve()
  }

  neighbours(): readonly Neighbour[] {
    return [...this.links.values()]
      .map(({ other, direction }) => ({ node: other, address: other as string, direction }))
      .sort((a, b) => (a.node < b.node ? -1 : 1))
  }

  ownPlaces(): readonly string[] {
    return []
  }

  dials(): readonly DialReport[] {
    return [...this.records]
      .map(([target, { failures, lastTriedAt, error }]) => ({
        target,
        direction: 'outbound' as const,
        failures,
        lastTriedAt,
        error,
        answers: false,
        secretMayDiffer: false,
      }))
      .sort((a, b) => (a.target < b.target ? -1 : 1))
  }

  reaches(node: NodeId): Promise<boolean> {
    return Promise.resolve(this.network.answers(this.node, node))
  }

  /** Here every node has a key of its own. */
  lookForTwin(): Promise<TwinAnswer> {
    return Promise.resolve('silence')
  }

  redial(): void {
    const now = this.network.time.now()
    for (const [key, record] of this.records) this.records.set(key, withFreshBackoff(record, now))
    for (const link of this.links.values()) this.ask(link, false, syncProbeSecondsMax * 1000)
    this.look()
  }

  stop(): Promise<void> {
    for (const link of this.links.values()) this.tell(link, receiver => receiver.drop(this.node, link.number))
    this.links.clear()
    this.isRunning = false
    return Promise.resolve()
  }

  /** The other side closed this connection, or we gave it up. */
  drop(other: NodeId, number: number): void {
    if (this.links.get(other)?.number !== number) return
    this.links.delete(other)
    this.handlers.neighboursChanged()
    this.look()
  }

  // Dialling.

  private everyLook(): void {
    this.later(lookMilliseconds * (0.75 + this.network.time.random() / 2), () => {
      this.look()
      this.everyLook()
    })
  }

  private look(): void {
    const targets = this.targets()
    for (const { key } of dueTargets(targets, this.situation())) this.dial(key as NodeId)
    if (this.links.size > 0 && targets.some(({ key, wanted }) => wanted && !this.isTried(key)))
      this.lookAgain(targets)
  }

  /** Whose turn it is not yet. */
  private lookAgain(targets: readonly DialTarget[]): void {
    const { time } = this.network
    const dueAt = nextDueAt(targets, this.situation())
    if (dueAt === null) return
    const at = Math.max(time.now() + lookMillisecondsMin, dueAt)
    if (this.lookingAgainAt > time.now() && this.lookingAgainAt <= at) return
    this.lookingAgainAt = at
    this.later(at - time.now(), () => this.look())
  }

  private isTried(key: string): boolean {
    return this.records.has(key) || this.dialling.has(key)
  }

  private situation() {
    const { records, dialling, untriedAt } = this
    return { records, dialling, connected: this.links.size, untriedAt, now: this.network.time.now() }
  }

  private targets(): readonly DialTarget[] {
    const candidates = this.handlers.candidates().map(({ node, wanted }) => ({ key: node, wanted }))
    const known = new Set<string>(candidates.map(({ key }) => key))
    const needy = this.links.size < neighboursEnough
    const bootstrap = this.bootstrap
      .filter(key => needy && !known.has(key))
      .map(key => ({ key, wanted: true }))
    return [...bootstrap, ...candidates].filter(({ key }) => !this.links.has(key as NodeId))
  }

  private dial(other: NodeId): void {
    const { network } = this
    this.dialling.add(other)
    if (!this.records.has(other)) this.untriedAt = network.time.now()
    network.counts.dials += 1
    connections += 1
    const number = connections
    let settled = false
    const settle = (isConnected: boolean) => {
      if (settled) return
      settled = true
      this.dialling.delete(other)
      if (isConnected) this.records.delete(other)
      else this.dialFailed(other)
    }
    network.carry(this.node, other, 2000, network.retransmission(), receiver =>
      network.carry(other, this.node, 2000, network.retransmission(), () => {
        if (settled) return
        settle(true)
        if (this.links.has(other) || !receiver.isRunning) return
        receiver.connect(this.node, number, 'inbound')
        const link = this.connect(other, number, 'outbound')
        this.ask(link, false)
      }),
    )
    this.later(network.conditions.answerTimeout / 2, () => settle(false))
  }

  private dialFailed(other: NodeId): void {
    const { time } = this.network
    const failure = { error: 'connection timed out', handshake: false }
    const record = afterFailure(this.records.get(other), failure, time.now(), time.random())
    this.records.set(other, record)
    const dueAt = nextDueAt(this.targets(), this.situation()) ?? record.nextAt
    this.later(dueAt - time.now(), () => this.look())
  }

  private connect(other: NodeId, number: number, direction: Link['direction']): Link {
    const heardAt = this.network.time.now()
    const link = {
      ...{ other, number, direction, heardAt },
      ...{ inTopic: false, asking: false, askAgain: false, finishes: false },
    }
    this.links.set(other, link)
    this.handlers.neighboursChanged()
    return link
  }

  private isCurrent(link: Link): boolean {
    return this.links.get(link.other) === link
  }

  private giveUp(link: Link): void {
    this.tell(link, receiver => receiver.drop(this.node, link.number))
    this.drop(link.other, link.number)
  }

  private tell(link: Link, action: (receiver: FakeNode) => void): void {
    this.network.carry(this.node, link.other, framingBytes, 0, action)
  }

  // The topic.

  private spread(message: TopicMessage, source: NodeId | null): void {
    message.take(this.number)
    this.tendTopic()
    const others = [...this.links.values()].filter(({ other }) => other !== source)
    const atOnce = source === null ? others : others.filter(({ inTopic }) => inTopic)
    for (const { other } of atOnce) this.pass(message, other)
    const rest = others.filter(link => !atOnce.includes(link))
    const chosen = rest[Math.floor(this.network.time.random() * rest.length)]
    if (chosen !== undefined) this.later(topicOfferMilliseconds, () => this.offer(message, chosen))
  }

  /** Gossipsub does this with each of its heartbeats. */
  private tendTopic(): void {
    const links = [...this.links.values()]
    const { random } = this.network.time
    for (const link of missingFromTopic(links, random)) this.mark(link, true)
    for (const link of surplusInTopic(links, random)) this.mark(link, false)
  }

  private mark(link: Link, inTopic: boolean): void {
    const reverse = this.network.find(link.other)?.links.get(this.node)
    if (reverse?.number !== link.number) return
    this.network.count(framingBytes)
    link.inTopic = inTopic
    reverse.inTopic = inTopic
  }

  private offer(message: TopicMessage, { other }: Link): void {
    if (!this.links.has(other)) return
    this.network.count(offerBytes)
    const receiver = this.network.find(other)
    if (receiver === undefined || message.isHadBy(receiver.number)) return
    this.network.count(offerBytes)
    this.pass(message, other)
  }

  private pass(message: TopicMessage, other: NodeId): void {
    const { network } = this
    const bytes = message.envelope.length + framingBytes
    const { loss, duplication } = network.conditions
    const receiver = network.find(other)
    const copies = duplication > 0 && network.time.random() < duplication ? 2 : 1
    for (let copy = 0; copy < copies; copy += 1) {
      network.count(bytes)
      if (loss > 0 && network.time.random() < loss) continue
      const delay = network.delay()
      const now = network.time.now()
      // What comes after another copy is told apart by its hash and costs only its way: no event for it.
      if (receiver !== undefined && !message.expect(receiver.number, now, now + delay)) continue
      network.deliver(this.node, other, delay, node => node.hear(message, this.node))
    }
  }

  private hear(message: TopicMessage, source: NodeId): void {
    const link = this.links.get(source)
    if (link === undefined || message.isHadBy(this.number)) return
    link.heardAt = this.network.time.now()
    message.take(this.number)
    const verdict = this.handlers.announced(message.envelope, message.opened, source)
    if (verdict.kind === 'accept') this.spread(message, source)
  }

  // Sync.

  private everyTick(): void {
    this.later(syncTickSeconds * 1000, () => {
      this.tick()
      this.everyTick()
    })
  }

  private tick(): void {
    this.tendTopic()
    const now = this.network.time.now()
    const links = [...this.links.values()]
    for (const link of overdueLinks(links, now)) this.ask(link, false)
    if (now < this.nextAskAt) return
    this.nextAskAt = now + this.interval()
    const next = nextLink(links)
    if (next !== undefined) this.ask(next, true)
  }

  private interval(): number {
    const span = syncIntervalSecondsMax - syncIntervalSecondsMin
    return (syncIntervalSecondsMin + this.network.time.random() * span) * 1000
  }

  private ask(link: Link, isRegular: boolean, patience = 2 * this.network.conditions.answerTimeout): void {
    if (link.asking) {
      link.askAgain ||= !isRegular
      return
    }
    link.asking = true
    let answered = false
    this.compare(link, 0, () => {
      answered = true
      link.asking = false
      if (!this.isCurrent(link)) return
      this.handlers.synced(link.other)
      this.look()
      if (!link.askAgain) return
      link.askAgain = false
      this.ask(link, false)
    })
    this.later(patience, () => {
      if (!answered && this.isCurrent(link)) this.giveUp(link)
    })
  }

  /** Asks for a hash, and sweeps where it differs. */
  private compare(link: Link, rounds: number, done: () => void): void {
    this.question(link, hashMessage(this.handlers.sync.setHash()), reply => {
      if (reply.kind !== 'hash' || rounds >= syncRoundsMax) return done()
      this.step(link, sweep(reply, this.handlers.sync), null, end => {
        if (end.kind === 'done' && end.full) this.compare(link, rounds + 1, done)
        else done()
      })
    })
  }

  private step(link: Link, questions: Sweep, reply: SyncMessage | null, done: (end: SweepEnd) => void): void {
    const next = reply === null ? questions.next() : questions.next(reply)
    if (next.done === true) done(next.value)
    else this.question(link, next.value, answer => this.step(link, questions, answer, done))
  }

  private question(link: Link, asked: SyncMessage, answered: (reply: SyncMessage) => void): void {
    this.send(link, asked, receiver =>
      receiver.answer(this.node, link.number, this.asSent(asked), reply => {
        if (!this.isCurrent(link)) return
        link.heardAt = this.network.time.now()
        if (reply.kind === 'envelopes') this.admit(reply.envelopes, link.other)
        answered(reply)
      }),
    )
  }

  private answer(
    from: NodeId,
    number: number,
    question: SyncMessage,
    reply: (message: SyncMessage) => void,
  ): void {
    const link = this.links.get(from)
    // What TCP's reset says: that connection is not known here.
    if (link?.number !== number) {
      this.network.carry(this.node, from, framingBytes, 0, asker => asker.drop(this.node, number))
      return
    }
    link.heardAt = this.network.time.now()
    if (question.kind === 'envelopes') this.admit(question.envelopes, from)
    const answer = answerSync(question, this.handlers.sync)
    if (answer === null) return
    this.send(link, answer, () => reply(this.asSent(answer)))
    if (question.kind === 'digest') link.finishes = endsSweep(question, answer)
    if (answer.kind === 'equal' || (question.kind === 'envelopes' && link.finishes))
      this.handlers.synced(from)
  }

  private send(link: Link, message: SyncMessage, action: (receiver: FakeNode) => void): void {
    const { network } = this
    network.carry(this.node, link.other, sizeOf(message), network.retransmission(), action)
  }

  private asSent(message: SyncMessage): SyncMessage {
    if (!this.network.conditions.exact) return message
    const decoded = decodeSyncMessage(encodeSyncMessage(message))
    if (decoded === null) throw new Error(`a ${message.kind} message does not survive its encoding`)
    return decoded
  }

  private admit(envelopes: readonly SyncedEnvelope[], source: NodeId): void {
    const entries: OpenedSyncedEnvelope[] = []
    for (const synced of envelopes) {
      const opened = openFake(synced.envelope)
      if (opened === null) this.handlers.refused('bad-signature')
      else entries.push({ ...synced, opened })
    }
    if (entries.length === 0) return
    const before = this.handlers.sync.setHash()
    this.handlers.sync.admit(entries, source)
    if (!isSameHash(before, this.handlers.sync.setHash())) this.cascade(source)
  }

  private cascade(source: NodeId): void {
    this.sources.add(source)
    if (this.sources.size > 1) return
    const span = syncCascadeMillisecondsMax - syncCascadeMillisecondsMin
    this.later(syncCascadeMillisecondsMin + this.network.time.random() * span, () => {
      // News from two sides: each of them lacks the other's.
      const informed = this.sources.size === 1 ? source : null
      this.sources.clear()
      for (const link of this.links.values()) if (link.other !== informed) this.ask(link, false)
    })
  }

  private later(milliseconds: number, action: () => void): void {
    this.network.time.schedule(Math.max(0, milliseconds), () =>
      this.standstill.pass(() => {
        if (this.isRunning) action()
      }),
    )
  }
}

function sizeOf(message: SyncMessage): number {
  switch (message.kind) {
    case 'hash':
      return framingBytes + 20
    case 'equal':
      return framingBytes + 3
    case 'digest':
      return framingBytes + 66 * message.entries.length
    case 'envelopes':
      return (
        framingBytes +
        message.envelopes.reduce((sum, { envelope }) => sum + envelope.length + 8, 0) +
        54 * message.wanted.length
      )
  }
}
