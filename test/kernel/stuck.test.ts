import { describe, expect, it, vi } from 'vitest'
import { execute } from '../../src/kernel/run.ts'

const secondsToEnd = 15

vi.mock('../../src/model/limits.ts', async original => ({
  ...(await original<typeof import('../../src/model/limits.ts')>()),
  toolSecondsMax: 0.2,
  toolEndSecondsMax: 0.2,
  toolsStuckMax: 2,
  toolsStuckRetrySeconds: 2,
}))

describe('a tool that cannot be killed', () => {
  it('is waited for no longer than its time; others are tried again after a while', async () => {
    // What holds the output is as deaf to the signal as a process that waits in the kernel.
    const deaf = {
      tool: 'sh',
      arguments: ['-c', `setsid sleep ${secondsToEnd} & exec sleep ${secondsToEnd}`],
    }
    const overdue = { failure: { what: 'sh did not end within 0.4 s', why: 'not even when it was killed' } }
    expect(await Promise.all([execute(deaf), execute(deaf)])).toMatchObject([overdue, overdue])
    const echo = { tool: 'echo', arguments: ['again'] }
    expect(await execute(echo)).toMatchObject({
      stdout: '',
      failure: { what: expect.stringMatching(/^2 tools hang in the kernel/) },
    })
    const began = performance.now()
    const again = { stdout: 'again', failure: null }
    await vi.waitFor(async () => expect(await execute(echo)).toMatchObject(again), 10_000)
    // Those that hang are still there: none of them had to end for this.
    expect(performance.now() - began).toBeLessThan((secondsToEnd - 2) * 1000)
    expect(await execute(echo)).toMatchObject(again)
  })

  it('that ends when it is killed is told as too slow', async () => {
    expect(await execute({ tool: 'sleep', arguments: ['9'] })).toMatchObject({
      failure: { what: 'sleep did not end within 0.2 s' },
    })
  })
})
