import { describe, expect, it } from 'vitest'
import { floodProblems } from '../../src/daemon/flood-problems.ts'
import type { State } from '../../src/daemon/state.ts'
import type { FloodTrack } from '../../src/mesh/flood.ts'
import type { InterfaceName } from '../../src/model/address.ts'
import { observation, segmentConfiguration } from '../mesh/world.ts'

const device = 'vlnet0' as InterfaceName
const now = 100_000

function problems(floodLimit: number | null, limitsFloods: boolean, track?: FloodTrack) {
  const state = {
    configuration: { segments: [segmentConfiguration({ floodLimit })] },
    observation: { ...observation(), limitsFloods },
    floods: new Map(track === undefined ? [] : [[device, track]]),
  }
  return floodProblems(state as unknown as State, now)
}

describe('problems with what floods', () => {
  it('are none while nothing is dropped, or long after', () => {
    expect(problems(100, true)).toEqual([])
    expect(problems(100, true, { droppedFrames: 9, grewAt: null })).toEqual([])
    expect(problems(100, true, { droppedFrames: 9, grewAt: 0 })).toEqual([])
  })

  it('name the segment while more and more is dropped, and what to do', () => {
    expect(problems(100, true, { droppedFrames: 9, grewAt: now - 1000 })).toEqual([
      {
        code: 'flood-limited',
        subject: 'vlnet0',
        what: 'vlnet0 floods more than 100 broadcast and multicast frames per second',
        why: '9 were dropped',
        remedy:
          'find the loop or the machine that sends them (tcpdump -eni vlnet0 multicast), or raise flood_limit',
        severity: 'degraded',
      },
    ])
  })

  it('say once that this kernel cannot limit, where a limit is asked for', () => {
    expect(problems(100, false)).toMatchObject([{ code: 'flood-unlimited', severity: 'notice' }])
    expect(problems(null, false)).toEqual([])
  })
})
