import { addressDialsOfOthersMax } from '../model/limits.ts'

/** Bounds how many addresses that others named are dialled at a time, so that the operator's own never wait for them. */
export interface DialSlots {
  /** Resolves with what gives the slot back. Of those that wait, the first addresses of each member go first. */
  take(index: number): Promise<() => void>
}

interface Waiting {
  readonly index: number
  readonly go: () => void
}

export function createDialSlots(): DialSlots {
  const waiting: Waiting[] = []
  let left = addressDialsOfOthersMax
  const giveBack = () => {
    const [next] = waiting.toSorted((a, b) => a.index - b.index)
    if (next === undefined) {
      left += 1
      return
    }
    waiting.splice(waiting.indexOf(next), 1)
    next.go()
  }
  return {
    async take(index) {
      if (left > 0) left -= 1
      else await new Promise<void>(go => waiting.push({ index, go }))
      return giveBack
    },
  }
}
