import { describe, expect, it } from 'vitest'
import { createChance } from './chance.ts'
import { Scheduler } from './scheduler.ts'

describe('virtual time', () => {
  it('runs events in the order of their times, then of their scheduling', async () => {
    const time = newTime()
    const seen: string[] = []
    time.schedule(20, () => seen.push(`late ${time.now()}`))
    time.schedule(10, () => seen.push(`first ${time.now()}`))
    time.schedule(10, () => seen.push(`second ${time.now()}`))
    time.schedule(30, () => seen.push('too late'))
    await time.run(25)
    expect(seen).toEqual(['first 10', 'second 10', 'late 20'])
    expect(time.now()).toBe(25)
  })

  it('keeps thousands of events in order', async () => {
    const time = newTime()
    const seen: number[] = []
    for (let count = 0; count < 3000; count += 1)
      time.schedule(time.random() * 1000, () => seen.push(time.now()))
    await time.run(1000)
    expect(seen).toHaveLength(3000)
    expect(seen).toEqual(seen.toSorted((a, b) => a - b))
  })

  it('keeps what is promised before the next event', async () => {
    const time = newTime()
    const seen: string[] = []
    time.schedule(1, async () => {
      for (let step = 0; step < 50; step += 1) await Promise.resolve()
      seen.push(`promised at ${time.now()}`)
    })
    time.schedule(2, () => seen.push('next'))
    await time.run(5)
    expect(seen).toEqual(['promised at 1', 'next'])
  })

  it('forgets what was cancelled', async () => {
    const time = newTime()
    const cancel = time.schedule(1, () => expect.unreachable())
    cancel()
    cancel()
    await time.run(5)
    expect(time.now()).toBe(5)
  })

  it('passes until a promise is kept, and no further', async () => {
    const time = newTime()
    expect(await time.complete(time.sleep(70).then(() => 'done'))).toBe('done')
    expect(time.now()).toBe(70)
    await expect(time.complete(new Promise(() => undefined))).rejects.toThrow('nothing is left')
  })
})

function newTime(): Scheduler {
  return new Scheduler(createChance('time').next)
}
