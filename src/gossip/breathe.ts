import { setImmediate as nextTurn } from 'node:timers/promises'

/** How long strangers may keep the event loop at a stretch, before timers, packets and other neighbours have their turn. */
const workMillisecondsMax = 8
let busySince: number | null = null
let waiting = 0

/** Awaited before each piece of work that others cause: goes on at once, or after a turn of the event loop. */
export async function breathe(): Promise<void> {
  if (performance.now() - begin() <= workMillisecondsMax) return
  waiting += 1
  try {
    do await nextTurn()
    while (performance.now() - begin() > workMillisecondsMax)
  } finally {
    waiting -= 1
  }
}

/** How many pieces of work wait for their turn. */
export function piecesWaiting(): number {
  return waiting
}

/** When the work of this turn began. */
function begin(): number {
  if (busySince !== null) return busySince
  busySince = performance.now()
  setImmediate(() => {
    busySince = null
  })
  return busySince
}
