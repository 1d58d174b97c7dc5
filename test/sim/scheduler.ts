import type { FakeTime } from '../fake/gossip.ts'

export type Cancel = () => void

interface Entry {
  readonly at: number
  /** Which of two at the same moment comes first: the one that was scheduled first. */
  readonly order: number
  action: (() => void) | null
}

/**
 * Virtual time: events in the order of their times, and after each everything that was promised because of it.
 * The same actions in the same order give the same run.
 */
export class Scheduler implements FakeTime {
  readonly random: () => number
  #now = 0
  #order = 0
  readonly #heap: Entry[] = []

  constructor(random: () => number) {
    this.random = random
  }

  /** Milliseconds since the world began. */
  now(): number {
    return this.#now
  }

  schedule(delayMilliseconds: number, action: () => void): Cancel {
    const entry: Entry = { at: this.#now + Math.max(0, delayMilliseconds), order: this.#order, action }
    this.#order += 1
    push(this.#heap, entry)
    return () => {
      entry.action = null
    }
  }

  sleep(milliseconds: number): Promise<void> {
    return new Promise(resolve => this.schedule(milliseconds, resolve))
  }

  async run(milliseconds: number): Promise<void> {
    const end = this.#now + milliseconds
    await settle()
    while ((this.#heap[0]?.at ?? Number.POSITIVE_INFINITY) <= end) await this.#step()
    this.#now = end
  }

  /** The same for a world in which nothing is promised: many times quicker. */
  pass(milliseconds: number): void {
    const end = this.#now + milliseconds
    while ((this.#heap[0]?.at ?? Number.POSITIVE_INFINITY) <= end) this.#take()
    this.#now = end
  }

  /** Lets time pass until the promise is kept. */
  async complete<Value>(promise: Promise<Value>): Promise<Value> {
    let pending = true
    const done = promise.finally(() => {
      pending = false
    })
    done.catch(() => undefined)
    await settle()
    while (pending && this.#heap.length > 0) await this.#step()
    if (pending) throw new Error('nothing is left to happen, and still it is not done')
    return done
  }

  async #step(): Promise<void> {
    if (this.#take()) await settle()
  }

  /** The next event. False when it was cancelled. */
  #take(): boolean {
    const entry = pop(this.#heap)
    if (entry === undefined || entry.action === null) return false
    this.#now = entry.at
    entry.action()
    return true
  }
}

/** All that is promised by now is kept or waits for a later event: nothing here waits for the machine. */
export function settle(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order)
}

function push(heap: Entry[], entry: Entry): void {
  let index = heap.length
  heap.push(entry)
  while (index > 0) {
    const parent = (index - 1) >> 1
    const above = heap[parent] as Entry
    if (!isBefore(entry, above)) break
    heap[index] = above
    index = parent
  }
  heap[index] = entry
}

function pop(heap: Entry[]): Entry | undefined {
  const first = heap[0]
  const last = heap.pop()
  if (first === undefined || last === undefined || heap.length === 0) return first
  let index = 0
  for (;;) {
    let child = 2 * index + 1
    if (child >= heap.length) break
    if (child + 1 < heap.length && isBefore(heap[child + 1] as Entry, heap[child] as Entry)) child += 1
    if (!isBefore(heap[child] as Entry, last)) break
    heap[index] = heap[child] as Entry
    index = child
  }
  heap[index] = last
  return first
}
