import { setTimeout as sleep } from 'node:timers/promises'
import { failed, type Result } from '../model/failure.ts'
import { saveSecondsMax, savesWaitingMax } from '../model/limits.ts'

export type SaveQueue = (save: () => Promise<Result<void>>) => Promise<Result<void>>

/**
 * One at a time, in the order they were asked for. A disk that hangs makes them fail after `saveSecondsMax`, each and
 * those behind it; with `savesWaitingMax` of them it is handed no more until it goes on.
 */
export function createSaveQueue(directory: string): SaveQueue {
  let last: Promise<unknown> = Promise.resolve()
  let waiting = 0
  let hangs = false
  const overdue = () => failed(`the disk of ${directory} does not answer`, { remedy: 'check it (dmesg)' })
  return async save => {
    if (hangs && waiting >= savesWaitingMax) return overdue()
    waiting += 1
    const saved = last.then(save)
    last = saved
      .catch(() => undefined)
      .then(() => {
        waiting -= 1
        hangs = false
      })
    const patience = new AbortController()
    const late = sleep(saveSecondsMax * 1000, null, { signal: patience.signal, ref: false }).then(() => {
      hangs = true
      return overdue()
    })
    late.catch(() => undefined)
    try {
      return await Promise.race([saved, late])
    } finally {
      patience.abort()
    }
  }
}
