import { expect, it, vi } from 'vitest'
import { within } from '../../src/gossip/within.ts'

it('gives what comes in time, and what breaks in time', async () => {
  expect(await within(1000, 'it', Promise.resolve(7))).toBe(7)
  await expect(within(1000, 'it', Promise.reject(new Error('broken')))).rejects.toThrow('broken')
})

it('waits no longer than its time, and hands over what comes late', async () => {
  const { promise, resolve } = Promise.withResolvers<number>()
  const late = vi.fn()
  await expect(within(10, 'it', promise, late)).rejects.toThrow('it does not answer')
  resolve(7)
  await vi.waitFor(() => expect(late).toHaveBeenCalledWith(7))
})
