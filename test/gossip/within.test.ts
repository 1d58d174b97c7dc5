import { lookup } from 'node:dns/promises'
import { expect, it, vi } from 'vitest'
import { resolveHost } from '../../src/gossip/places.ts'
import { within } from '../../src/gossip/within.ts'

vi.mock('node:dns/promises')
vi.mock('../../src/model/limits.ts', async original => ({
  ...(await original<typeof import('../../src/model/limits.ts')>()),
  resolveMillisecondsMax: 50,
}))

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

it('is what a dead name server costs, and each name is asked for once meanwhile', async () => {
  const answer = Promise.withResolvers<{ address: string; family: number }[]>()
  vi.mocked(lookup).mockReturnValue(answer.promise as never)
  const dead = await Promise.allSettled([1, 2, 3].map(() => resolveHost('nowhere.example')))
  expect(dead.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
  await expect(resolveHost('nowhere.example')).rejects.toThrow('the name server does not answer')
  expect(lookup).toHaveBeenCalledOnce()
  answer.resolve([{ address: '192.0.2.1', family: 4 }])
  await answer.promise
  await vi.waitFor(async () => expect(await resolveHost('nowhere.example')).toEqual(['192.0.2.1']))
  await resolveHost('nowhere.example')
  expect(vi.mocked(lookup).mock.calls.length).toBeGreaterThan(1)
})
