import { describe, expect, it } from 'vitest'
import { watchProgress } from '../../src/daemon/progress.ts'
import type { State } from '../../src/daemon/state.ts'
import { progressLookSeconds, standstillSecondsMax } from '../../src/model/limits.ts'

describe('the watch over progress', () => {
  it('ends the daemon when the kernel is not looked at any more', () => {
    const { pass, end } = watched({ neighbours: 0 })
    expect(pass(standstillSecondsMax.reconcile - progressLookSeconds)).toBeNull()
    expect(pass(progressLookSeconds)).toMatch(/kernel was not looked at/)
    end()
  })

  it('ends it when neighbours are there, or come and go, and nothing is heard of them', () => {
    const there = watched({ neighbours: 2, looking: true })
    expect(there.pass(standstillSecondsMax.gossip)).toMatch(/not one of them could be talked to/)
    const flighty = watched({ neighbours: 0, looking: true, connecting: true })
    expect(flighty.pass(standstillSecondsMax.gossip)).toMatch(/not one of them could be talked to/)
  })

  it('lets it be while it works, and when it is alone', () => {
    const hour = 3600
    expect(watched({ neighbours: 2, looking: true, hearing: true }).pass(hour)).toBeNull()
    expect(watched({ neighbours: 0, looking: true }).pass(hour)).toBeNull()
  })

  it('is over when the daemon ends', () => {
    const { pass, end } = watched({ neighbours: 0 })
    end()
    expect(pass(10 * standstillSecondsMax.reconcile)).toBeNull()
  })
})

interface Life {
  readonly neighbours: number
  readonly looking?: boolean
  readonly hearing?: boolean
  readonly connecting?: boolean
}

/** `pass` lets seconds go by, and tells what the watch threw. */
function watched({ neighbours, looking = false, hearing = false, connecting = false }: Life) {
  let now = 0
  let timer: { at: number; action: () => void } | null = null
  const state = {
    gossip: { neighbours: () => Array(neighbours) },
    looks: 0,
    heard: 0,
    connections: 0,
  } as unknown as State
  const clock = {
    now: () => now,
    setTimer(milliseconds: number, action: () => void) {
      const own = { at: now + milliseconds, action }
      timer = own
      return () => {
        if (timer === own) timer = null
      }
    },
  }
  const end = watchProgress(clock, state)
  const pass = (seconds: number): string | null => {
    const until = now + seconds * 1000
    while (timer !== null && timer.at <= until) {
      now = timer.at
      if (looking) state.looks += 1
      if (hearing) state.heard += 1
      if (connecting) state.connections += 1
      try {
        timer.action()
      } catch (error) {
        return (error as Error).message
      }
    }
    now = until
    return null
  }
  return { pass, end }
}
