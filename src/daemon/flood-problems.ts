import { isStorm } from '../mesh/flood.ts'
import { degraded, noticed, type Problem } from '../model/problem.ts'
import type { State } from './state.ts'

/** Segments that flood more than they may, and why none is limited where this kernel cannot. */
export function floodProblems(state: State, now: number): readonly Problem[] {
  const { segments } = state.configuration
  const storms = segments.flatMap(({ interface: device, floodLimit }): readonly Problem[] => {
    const track = state.floods.get(device)
    if (floodLimit === null || track === undefined || !isStorm(track, now)) return []
    const what = `${device} floods more than ${floodLimit} broadcast and multicast frames per second`
    return [
      degraded('flood-limited', device, what, {
        why: `${track.droppedFrames} were dropped`,
        remedy: `find the loop or the machine that sends them (tcpdump -eni ${device} multicast), or raise flood_limit`,
      }),
    ]
  })
  const isUnlimited = state.observation?.limitsFloods === false
  if (!isUnlimited || segments.every(({ floodLimit }) => floodLimit === null)) return storms
  return [...storms, noticed('flood-unlimited', '', 'broadcasts are not limited', unlimited)]
}

const unlimited = {
  why: 'this kernel has no nftables egress hook (Linux 5.16 with NETFILTER_EGRESS and NF_TABLES_NETDEV)',
  remedy: 'use a kernel that has it, or set flood_limit to off',
}
