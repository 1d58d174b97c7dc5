import { describe, expect, it, vi } from 'vitest'
import { createSaveQueue } from '../../src/host/save-queue.ts'
import { ok } from '../../src/model/failure.ts'

vi.mock('../../src/model/limits.ts', async original => ({
  ...(await original<typeof import('../../src/model/limits.ts')>()),
  saveSecondsMax: 0.1,
  savesWaitingMax: 3,
}))

const done = ok(undefined)
const overdue = {
  ok: false,
  failure: { what: 'the disk of /there does not answer', remedy: 'check it (dmesg)' },
}

describe('the queue of saves', () => {
  it('does one at a time, in order', async () => {
    const queue = createSaveQueue('/there')
    const steps: string[] = []
    const save = (name: string) => async () => {
      steps.push(`${name} begins`)
      await new Promise(resolve => setTimeout(resolve, 5))
      steps.push(`${name} ends`)
      return done
    }
    expect(await Promise.all([queue(save('a')), queue(save('b'))])).toEqual([done, done])
    expect(steps).toEqual(['a begins', 'a ends', 'b begins', 'b ends'])
  })

  it('waits for a disk that hangs no longer than its time, hands it a few more, and goes on with it', async () => {
    const queue = createSaveQueue('/there')
    const { promise: answer, resolve } = Promise.withResolvers<void>()
    const hanging = queue(() => answer.then(() => done))
    const behind = vi.fn(async () => done)
    const others = [queue(behind), queue(behind)]
    expect(await Promise.all([hanging, ...others])).toMatchObject([overdue, overdue, overdue])
    expect(await Promise.all([queue(behind), queue(behind)])).toMatchObject([overdue, overdue])
    expect(behind).not.toHaveBeenCalled()
    resolve()
    await vi.waitFor(() => expect(behind).toHaveBeenCalledTimes(2))
    expect(await queue(behind)).toEqual(done)
  })

  it('goes on after a save that broke', async () => {
    const queue = createSaveQueue('/there')
    await expect(queue(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken')
    expect(await queue(async () => done)).toEqual(done)
  })
})
