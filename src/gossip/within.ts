import { setTimeout as sleep } from 'node:timers/promises'

/** What the work comes to, or a rejection when it takes longer; `late` then gets what nobody waits for any more. */
export async function within<Value>(
  milliseconds: number,
  what: string,
  work: Promise<Value>,
  late: (value: Value) => void = () => undefined,
): Promise<Value> {
  const waiting = new AbortController()
  const patience = sleep(milliseconds, undefined, { signal: waiting.signal, ref: false }).then(() => {
    void work.then(late, () => undefined)
    throw new Error(`${what} does not answer`)
  })
  try {
    return await Promise.race([work, patience])
  } finally {
    waiting.abort()
    patience.catch(() => undefined)
  }
}
