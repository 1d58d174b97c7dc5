import { uptime } from 'node:os'

/** Time and chance, handed in wherever they are needed. */
export interface Clock {
  /** Monotonic milliseconds: only differences mean something. */
  now(): number
  /** Unix seconds, whole. May jump. */
  wallSeconds(): number
  /** Seconds since boot, those the machine slept included, which `now` leaves out. */
  uptimeSeconds(): number
  setTimer(milliseconds: number, action: () => void): Cancel
  /** At least 0, below 1. */
  random(): number
}

/** Harmless when the timer has fired or was cancelled before. */
export type Cancel = () => void

/** Node fires timers beyond 2^31 - 1 ms at once. */
const timerMillisecondsMax = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => performance.now(),
  wallSeconds: () => Math.floor(Date.now() / 1000),
  uptimeSeconds: () => uptime(),
  setTimer(milliseconds, action) {
    const timer = setTimeout(action, Math.min(Math.max(0, milliseconds), timerMillisecondsMax))
    return () => clearTimeout(timer)
  },
  random: () => Math.random(),
}
