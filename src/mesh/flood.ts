import type { InterfaceName } from '../model/address.ts'
import type { FloodReading } from '../model/kernel-state.ts'
import { floodCalmSeconds } from '../model/limits.ts'

/** What a segment's flood limit dropped, from look to look. */
export interface FloodTrack {
  readonly droppedFrames: number
  /** When a look last found more of them, monotonic milliseconds; null while none did. */
  readonly grewAt: number | null
}

export type FloodTracks = ReadonlyMap<InterfaceName, FloodTrack>

/** The first look only takes note: what it finds may be of long ago. A limit that was set anew counts from zero. */
export function followFloods(
  before: FloodTracks,
  readings: readonly FloodReading[],
  now: number,
): FloodTracks {
  return new Map(
    readings.map(({ interface: device, droppedFrames }) => {
      const known = before.get(device)
      const counted = known === undefined || droppedFrames < known.droppedFrames ? 0 : known.droppedFrames
      const grew = known !== undefined && droppedFrames > counted
      return [device, { droppedFrames, grewAt: grew ? now : (known?.grewAt ?? null) }]
    }),
  )
}

/** Frames were dropped a moment ago. */
export function isStorm({ grewAt }: FloodTrack, now: number): boolean {
  return grewAt !== null && now - grewAt < floodCalmSeconds * 1000
}
