import type { Gossip, GossipHandlers } from '../../src/gossip/port.ts'
import type { Envelope, OpenedEnvelope } from '../../src/model/announcement.ts'
import { type NodeId, parseNodeId } from '../../src/model/node.ts'
import { FakeNode } from './gossip-node.ts'

/** Virtual time and chance: the simulator's. */
export interface FakeTime {
  /** Monotonic milliseconds. */
  now(): number
  schedule(delayMilliseconds: number, action: () => void): void
  /** In [0, 1). */
  random(): number
}

export interface Span {
  readonly min: number
  readonly max: number
}

export interface NetworkConditions {
  /** One way, milliseconds. A wide span reorders. */
  readonly delay: Span
  /** A topic message is lost between two neighbours; a step of a sync or a dial takes a second longer. */
  readonly loss: number
  /** A topic message arrives twice. */
  readonly duplication: number
  /** After so long without an answer, milliseconds, a neighbour is given up. */
  readonly answerTimeout: number
  /** True: what is said between nodes is encoded and decoded again. */
  readonly exact: boolean
}

export interface NetworkCounts {
  messages: number
  bytes: number
  dials: number
}

/** RFC 6298 with Linux' least timeout, TCP_RTO_MIN. */
const retransmissionMillisecondsMin = 200

const fairWeather: NetworkConditions = {
  delay: { min: 5, max: 40 },
  loss: 0,
  duplication: 0,
  answerTimeout: 10_000,
  exact: false,
}

/** Gossip between nodes of one process in virtual time: the same decisions as the real one, on another wire. */
export class MemoryGossipNetwork {
  readonly time: FakeTime
  readonly counts: NetworkCounts = { messages: 0, bytes: 0, dials: 0 }
  conditions: NetworkConditions
  /** How many nodes were started so far, the same one again among them. */
  started = 0
  private readonly nodes = new Map<NodeId, FakeNode>()
  private readonly cuts = new Set<string>()
  private group: ReadonlyMap<NodeId, number> | null = null

  constructor(time: FakeTime, conditions: Partial<NetworkConditions> = {}) {
    this.time = time
    this.conditions = { ...fairWeather, ...conditions }
  }

  /** A node starts; one of the same id that was here before is gone. */
  join(node: NodeId, handlers: GossipHandlers, bootstrap: readonly NodeId[] = []): Gossip {
    void this.nodes.get(node)?.stop()
    const joined = new FakeNode(this, node, handlers, bootstrap)
    this.started += 1
    this.nodes.set(node, joined)
    joined.start()
    return joined
  }

  /** The machine loses its network: nothing goes out or in, and nobody is told. */
  down(node: NodeId): void {
    this.nodeOf(node).isUp = false
  }

  up(node: NodeId): void {
    this.nodeOf(node).isUp = true
  }

  /** Its process is stopped: what reaches it waits, and so does all it would do. */
  freeze(node: NodeId): void {
    this.nodeOf(node).standstill.begin()
  }

  thaw(node: NodeId): void {
    this.nodeOf(node).standstill.end(action => this.time.schedule(0, action))
  }

  /** Nothing passes between groups. Nodes in no group are a group of their own together. */
  partition(groups: readonly (readonly NodeId[])[]): void {
    this.group = new Map(groups.flatMap((nodes, index) => nodes.map(node => [node, index] as const)))
  }

  /** Nothing passes from one to the other; the way back stays open. */
  cut(from: NodeId, to: NodeId): void {
    this.cuts.add(`${from} ${to}`)
  }

  /** Undoes every partition and cut. */
  heal(): void {
    this.group = null
    this.cuts.clear()
  }

  reaches(from: NodeId, to: NodeId): boolean {
    if (this.group !== null && this.group.get(from) !== this.group.get(to)) return false
    if (this.cuts.size > 0 && this.cuts.has(`${from} ${to}`)) return false
    return this.nodes.get(from)?.isUp === true && this.nodes.get(to)?.isUp === true
  }

  find(node: NodeId): FakeNode | undefined {
    return this.nodes.get(node)
  }

  /** It runs, and there is a way there and back. */
  answers(from: NodeId, to: NodeId): boolean {
    const other = this.nodes.get(to)
    if (other?.isRunning !== true || other.standstill.isStill) return false
    return this.reaches(from, to) && this.reaches(to, from)
  }

  /** Runs the action at the receiver after the way took its time. */
  carry(from: NodeId, to: NodeId, bytes: number, extra: number, action: (receiver: FakeNode) => void): void {
    this.count(bytes)
    this.deliver(from, to, this.delay() + extra, action)
  }

  count(bytes: number): void {
    this.counts.messages += 1
    this.counts.bytes += bytes
  }

  delay(): number {
    const { min, max } = this.conditions.delay
    return min + this.time.random() * (max - min)
  }

  /** Where there is no way it is sent again, as TCP does: after 0.2 s, and each time after twice as long. */
  deliver(
    from: NodeId,
    to: NodeId,
    delay: number,
    action: (receiver: FakeNode) => void,
    again = retransmissionMillisecondsMin,
  ): void {
    this.time.schedule(delay, () => {
      const receiver = this.nodes.get(to)
      if (receiver?.isRunning !== true) return
      if (!this.reaches(from, to)) {
        if (again <= this.conditions.answerTimeout) this.deliver(from, to, again, action, again * 2)
        return
      }
      receiver.standstill.pass(() => {
        if (receiver.isRunning) action(receiver)
      })
    })
  }

  /** What a retransmission costs: a second for each loss in a row. */
  retransmission(): number {
    let milliseconds = 0
    while (this.conditions.loss > 0 && this.time.random() < this.conditions.loss && milliseconds < 8000)
      milliseconds += 1000
    return milliseconds
  }

  private nodeOf(node: NodeId): FakeNode {
    const found = this.nodes.get(node)
    if (found === undefined) throw new Error(`no node ${node}`)
    return found
  }
}

const authorBytes = 52

/** An envelope whose signature is trust: the author's id, then the payload. */
export function sealFake(author: NodeId, payload: Uint8Array): Envelope {
  const envelope = new Uint8Array(authorBytes + payload.length)
  envelope.set(new TextEncoder().encode(author))
  envelope.set(payload, authorBytes)
  return envelope
}

const opened = new WeakMap<Envelope, OpenedEnvelope | null>()

/** Opened once, however many nodes it goes through: what is read from it is shared by all of them. */
export function openFake(envelope: Envelope): OpenedEnvelope | null {
  const known = opened.get(envelope)
  if (known !== undefined) return known
  const author = parseNodeId(new TextDecoder().decode(envelope.subarray(0, authorBytes)))
  const result = author === null ? null : { author, payload: envelope.subarray(authorBytes) }
  opened.set(envelope, result)
  return result
}
