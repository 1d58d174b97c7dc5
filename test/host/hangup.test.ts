import { EventEmitter } from 'node:events'
import { describe, expect, it, vi } from 'vitest'
import { listenForHangups } from '../../src/host/hangup.ts'

describe('hangups', () => {
  it('that came before anybody could answer are answered once, later', async () => {
    const process = new EventEmitter()
    const hangups = listenForHangups(process)
    process.emit('SIGHUP')
    process.emit('SIGHUP')
    const act = vi.fn(async () => undefined)
    hangups.answer(act)
    await turn()
    expect(act).toHaveBeenCalledOnce()
    process.emit('SIGHUP')
    await turn()
    expect(act).toHaveBeenCalledTimes(2)
  })

  it('are answered one after the other, all that came meanwhile together', async () => {
    const process = new EventEmitter()
    const ends: (() => void)[] = []
    listenForHangups(process).answer(() => new Promise(resolve => ends.push(resolve)))
    for (let count = 0; count < 5; count += 1) process.emit('SIGHUP')
    expect(ends).toHaveLength(1)
    ends[0]?.()
    await turn()
    expect(ends).toHaveLength(2)
    ends[1]?.()
    await turn()
    expect(ends).toHaveLength(2)
  })
})

function turn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}
