import type { Envelope, OpenedEnvelope } from '../../src/model/announcement.ts'

/** The same as in src/gossip/topic.ts: how many neighbours a node passes news to at once, and when it looks for others. */
const degree = 3
const degreeMin = 2
const degreeMax = 4

const taken = -1

/** A message on its way: the same object wherever it goes. It knows who has it, so it is forgotten with its last copy. */
export class TopicMessage {
  readonly envelope: Envelope
  readonly opened: OpenedEnvelope
  /** By a node's number: `taken`, or when the first copy under way arrives; 0 when there is none. */
  #state = new Float64Array(64)

  constructor(envelope: Envelope, opened: OpenedEnvelope) {
    this.envelope = envelope
    this.opened = opened
  }

  isHadBy(number: number): boolean {
    return this.#state[number] === taken
  }

  take(number: number): void {
    this.#set(number, taken)
  }

  /** A copy would arrive then. False when it was taken, or another copy comes sooner. */
  expect(number: number, now: number, at: number): boolean {
    const state = this.#state[number] ?? 0
    if (state === taken || (state >= now && state !== 0 && state <= at)) return false
    this.#set(number, at)
    return true
  }

  #set(number: number, value: number): void {
    if (number >= this.#state.length) {
      const larger = new Float64Array(Math.max(number + 1, this.#state.length * 2))
      larger.set(this.#state)
      this.#state = larger
    }
    this.#state[number] = value
  }
}

interface TopicLink {
  readonly inTopic: boolean
}

/** Links to pass news on over, chosen by chance, where there are too few. `random` is in [0, 1). */
export function missingFromTopic<Link extends TopicLink>(
  links: readonly Link[],
  random: () => number,
): readonly Link[] {
  const others = links.filter(({ inTopic }) => !inTopic)
  const count = links.length - others.length
  return count < degreeMin ? pickSome(others, degree - count, random) : []
}

/** Those that are too many. */
export function surplusInTopic<Link extends TopicLink>(
  links: readonly Link[],
  random: () => number,
): readonly Link[] {
  const ours = links.filter(({ inTopic }) => inTopic)
  return ours.length > degreeMax ? pickSome(ours, ours.length - degree, random) : []
}

function pickSome<Link>(links: readonly Link[], count: number, random: () => number): readonly Link[] {
  const rest = [...links]
  const picked: Link[] = []
  while (picked.length < count && rest.length > 0)
    picked.push(...rest.splice(Math.floor(random() * rest.length), 1))
  return picked
}
