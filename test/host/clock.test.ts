import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../src/host/clock.ts'

describe('the clock', () => {
  it('goes on, and counts whole Unix seconds', () => {
    const before = systemClock.now()
    expect(systemClock.now()).toBeGreaterThanOrEqual(before)
    expect(Number.isInteger(systemClock.wallSeconds())).toBe(true)
    expect(Math.abs(systemClock.wallSeconds() - Date.now() / 1000)).toBeLessThan(10)
  })

  it('fires a timer once, and not when it was cancelled', async () => {
    const fired: string[] = []
    systemClock.setTimer(5, () => fired.push('kept'))
    const cancel = systemClock.setTimer(5, () => fired.push('cancelled'))
    cancel()
    cancel()
    await sleep(50)
    expect(fired).toEqual(['kept'])
  })

  it('does not fire a timer of a month at once', async () => {
    let fired = false
    const cancel = systemClock.setTimer(60 * 24 * 3600 * 1000, () => {
      fired = true
    })
    await sleep(30)
    cancel()
    expect(fired).toBe(false)
  })

  it('gives numbers from 0 up to 1', () => {
    for (let round = 0; round < 100; round += 1) {
      const value = systemClock.random()
      expect(value >= 0 && value < 1).toBe(true)
    }
  })
})
