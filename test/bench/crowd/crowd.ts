import type { DialCandidate, Gossip, GossipHandlers } from '../../../src/gossip/port.ts'
import { heartbeatSeconds, nextHeartbeatAt } from '../../../src/mesh/compose.ts'
import { heartbeatSecondsDefault, neighbourDegree } from '../../../src/model/limits.ts'
import type { NodeId } from '../../../src/model/node.ts'
import { MemoryGossipNetwork } from '../../fake/gossip.ts'
import { createChance } from '../../sim/chance.ts'
import { Scheduler } from '../../sim/scheduler.ts'
import { idOf, Known, scatter, Words } from './known.ts'

/** Said to nobody, a word is said again after this: as src/gossip/topic.ts does. */
const repeatMilliseconds = 200
/** Not wanted as neighbours, and tried when the wanted ones do not answer. */
const sparesMax = 20

/**
 * A node of the gossip network without a kernel: it announces itself at a heartbeat that stretches with the mesh,
 * passes on what is new, and chooses neighbours by the law of src/mesh/neighbours.ts.
 */
export class CrowdNode {
  readonly number: number
  known: Known
  readonly #crowd: Crowd
  #gossip: Gossip | null = null
  #choice: { readonly count: number; readonly candidates: readonly DialCandidate[] } | null = null
  /** Grows with each start, so that the timers of an earlier one come to nothing. */
  #life = 0
  #intervalSeconds: number | null = null

  constructor(crowd: Crowd, number: number, known: Known) {
    this.#crowd = crowd
    this.number = number
    this.known = known
  }

  get id(): NodeId {
    return idOf(this.number)
  }

  get neighbours(): number {
    return this.#gossip?.neighbours().length ?? 0
  }

  /** Starts with what it knows, and says a new word as soon as somebody listens. */
  start(bootstrap: readonly NodeId[]): void {
    this.#life += 1
    this.#gossip = this.#crowd.network.join(this.id, this.#handlers(), bootstrap)
    this.#intervalSeconds = null
    this.#speakWhenHeard()
  }

  /** In the middle of its life: it has spoken long ago, and its next heartbeat is due some time within the interval. */
  wake(): void {
    this.#life += 1
    this.#gossip = this.#crowd.network.join(this.id, this.#handlers(), [])
    this.#intervalSeconds = this.#interval()
    this.#later(this.#intervalSeconds * 1000 * this.#crowd.time.random(), () => this.speak())
  }

  stop(): void {
    this.#life += 1
    void this.#gossip?.stop()
    this.#gossip = null
  }

  speak(): void {
    this.known.take(this.number, this.known.version(this.number) + 1)
    void this.#gossip?.publish(this.known.envelope(this.number))
    const { time } = this.#crowd
    const now = time.now()
    const intervalSeconds = this.#interval()
    const spoken = { now, intervalSeconds, secondsBefore: this.#intervalSeconds, dueAt: null }
    this.#intervalSeconds = intervalSeconds
    this.#later(nextHeartbeatAt(spoken, time.random()) - now, () => this.speak())
  }

  #interval(): number {
    return heartbeatSeconds(heartbeatSecondsDefault, this.known.count)
  }

  #speakWhenHeard(): void {
    if (this.neighbours > 0) this.speak()
    else this.#later(repeatMilliseconds, () => this.#speakWhenHeard())
  }

  #later(milliseconds: number, action: () => void): void {
    const life = this.#life
    this.#crowd.time.schedule(milliseconds, () => {
      if (life === this.#life) action()
    })
  }

  #handlers(): GossipHandlers {
    return {
      announced: (_envelope, opened) =>
        this.known.takeOpened(opened) ? { kind: 'accept' } : { kind: 'ignore', reason: 'known' },
      refused: () => undefined,
      sync: {
        setHash: () => this.known.setHash(),
        digest: () => this.known.digest(),
        envelopes: nodes => this.known.envelopes(nodes),
        admit: entries => {
          for (const { opened } of entries) this.known.takeOpened(opened)
        },
      },
      candidates: () => this.#candidates(),
      twinMet: () => undefined,
      neighboursChanged: () => undefined,
      synced: () => undefined,
    }
  }

  #candidates(): readonly DialCandidate[] {
    const { count } = this.known
    if (this.#choice?.count !== count) this.#choice = { count, candidates: this.#choose() }
    return this.#choice.candidates
  }

  /** Half the degree by rank, and the next on the circle; then spares by rank. */
  #choose(): readonly DialCandidate[] {
    const ranked: { readonly author: number; readonly rank: number }[] = []
    let first: number | null = null
    let next: number | null = null
    for (const author of this.known.authors()) {
      if (author === this.number) continue
      first ??= author
      if (author > this.number) next ??= author
      const rank = scatter(scatter(author, 5) ^ scatter(this.number, 5), 6)
      if (ranked.length >= sparesMax && rank >= (ranked.at(-1)?.rank ?? 0)) continue
      ranked.splice(ranked.findLastIndex(other => other.rank <= rank) + 1, 0, { author, rank })
      ranked.length = Math.min(ranked.length, sparesMax)
    }
    const authors = ranked.map(({ author }) => author)
    const wanted = new Set([...authors.slice(0, neighbourDegree / 2), next ?? first ?? []].flat())
    const candidate = (author: number, isWanted: boolean) => ({
      node: idOf(author),
      addresses: [],
      wanted: isWanted,
    })
    return [
      ...[...wanted].map(author => candidate(author, true)),
      ...authors.filter(author => !wanted.has(author)).map(author => candidate(author, false)),
    ]
  }
}

/** How much went over the wire, a node: sent and received. */
export interface Traffic {
  readonly messages: number
  readonly bytes: number
}

/** Many nodes that gossip in virtual time, all of which know each other at the start. */
export class Crowd {
  readonly time: Scheduler
  readonly network: MemoryGossipNetwork
  readonly nodes: CrowdNode[] = []
  readonly #words = new Words()
  readonly #most: number

  constructor(size: number, seed: number, newcomersMax = 8) {
    this.#most = size + newcomersMax
    this.time = new Scheduler(createChance(`crowd ${seed}`).next)
    this.network = new MemoryGossipNetwork(this.time)
    const all = new Known(this.#words, this.#most)
    for (let number = 0; number < size; number += 1) all.take(number, 1)
    for (let number = 0; number < size; number += 1) this.nodes.push(new CrowdNode(this, number, all.copy()))
    for (const node of this.nodes) node.wake()
  }

  /** One that knows nobody, not started yet. */
  newcomer(): CrowdNode {
    const node = new CrowdNode(this, this.nodes.length, new Known(this.#words, this.#most))
    if (node.number >= this.#most) throw new Error('there is no room for another newcomer')
    node.known.take(node.number, 1)
    this.nodes.push(node)
    return node
  }

  run(seconds: number): void {
    this.time.pass(seconds * 1000)
  }

  /** Lets time pass until it is so: the seconds it took; Infinity when it was not by the limit. */
  until(limitSeconds: number, isSo: () => boolean): number {
    const stepSeconds = 0.05
    for (let step = 0; step * stepSeconds <= limitSeconds; step += 1) {
      if (isSo()) return step * stepSeconds
      this.run(stepSeconds)
    }
    return Number.POSITIVE_INFINITY
  }

  /** What the wire carries while something is done. */
  traffic(action: () => void): Traffic {
    const before = { ...this.network.counts }
    action()
    const { messages, bytes } = this.network.counts
    const share = 2 / this.nodes.length
    return { messages: (messages - before.messages) * share, bytes: (bytes - before.bytes) * share }
  }
}
