import { describe, expect, it } from 'vitest'
import { type FloodTracks, followFloods, isStorm } from '../../src/mesh/flood.ts'
import type { InterfaceName } from '../../src/model/address.ts'
import { floodCalmSeconds } from '../../src/model/limits.ts'

const device = 'vlnet0' as InterfaceName

/** What is known after looks a second apart that found so many dropped frames. */
function tracksOf(...counts: readonly number[]): FloodTracks {
  return counts.reduce<FloodTracks>(
    (tracks, droppedFrames, second) =>
      followFloods(tracks, [{ interface: device, droppedFrames }], second * 1000),
    new Map(),
  )
}

describe('a storm', () => {
  it('is seen when more was dropped since the look before, not from what the first look finds', () => {
    expect(tracksOf(7000).get(device)).toEqual({ droppedFrames: 7000, grewAt: null })
    expect(tracksOf(7000, 7000).get(device)?.grewAt).toBeNull()
    expect(tracksOf(7000, 7001).get(device)).toEqual({ droppedFrames: 7001, grewAt: 1000 })
    expect(tracksOf(0, 5, 5, 5).get(device)).toEqual({ droppedFrames: 5, grewAt: 1000 })
  })

  it('is seen when a limit that was set anew drops again', () => {
    expect(tracksOf(50, 0).get(device)).toEqual({ droppedFrames: 0, grewAt: null })
    expect(tracksOf(50, 3).get(device)).toEqual({ droppedFrames: 3, grewAt: 1000 })
  })

  it('is over a while after the last frame, and forgotten with its segment', () => {
    const track = { droppedFrames: 5, grewAt: 1000 }
    expect(isStorm(track, 1000 + floodCalmSeconds * 1000 - 1)).toBe(true)
    expect(isStorm(track, 1000 + floodCalmSeconds * 1000)).toBe(false)
    expect(isStorm({ droppedFrames: 5, grewAt: null }, 1000)).toBe(false)
    expect(followFloods(tracksOf(0, 5), [], 9000).size).toBe(0)
  })
})
