import { expect, it } from 'vitest'
import { nextLink, overdueLinks, type SyncLink } from '../../src/mesh/sync-turns.ts'
import { neighbourProbeSeconds, neighbourSilenceSecondsMax } from '../../src/model/limits.ts'

const link = (direction: SyncLink['direction'], heardSeconds: number): SyncLink => ({
  direction,
  heardAt: heardSeconds * 1000,
})

it('asks who was silent for too long, and leaves the first question to the side that dialled', () => {
  const [ours, theirs] = [link('outbound', 0), link('inbound', 0)]
  const at = (seconds: number) => overdueLinks([ours, theirs], seconds * 1000)
  expect(at(neighbourProbeSeconds)).toEqual([])
  expect(at(neighbourProbeSeconds + 1)).toEqual([ours])
  expect(at(neighbourSilenceSecondsMax + 1)).toEqual([ours, theirs])
})

it('takes turns, on the connections that it dialled if there are any', () => {
  const [old, recent] = [link('outbound', 10), link('outbound', 20)]
  expect(nextLink([recent, link('inbound', 0), old])).toBe(old)
  const theirs = link('inbound', 0)
  expect(nextLink([link('inbound', 5), theirs])).toBe(theirs)
  expect(nextLink([])).toBeUndefined()
})
