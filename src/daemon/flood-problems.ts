import { isStorm } from '../mesh/flood.ts'
import type { Problem } from '../model/problem.ts'
import type { State } from './state.ts'

/** Segments that flood more than they may, and why none is limited where this kernel cannot. */
export function floodProblems(state: State, now: number): readonly Problem[] {
  const { segments } = state.configuration
  const storms = segments.flatMap(({ interface: device, floodLimit }): readonly Problem[] => {
    const track = state.floods.get(device)
    if (floodLimit === null || track === undefined || !isStorm(track, now)) return []
    const message = `more than ${floodLimit} frames per second to everybody on ${device}, ${track.droppedFrames} were dropped: look for a loop or a machine that sends them (tcpdump -eni ${device} multicast), or raise flood_limit`
    return [{ code: 'flood-limited', subject: device, message, severity: 'degraded' }]
  })
  const isUnlimited = state.observation?.limitsFloods === false
  if (!isUnlimited || segments.every(({ floodLimit }) => floodLimit === null)) return storms
  return [...storms, { code: 'flood-unlimited', subject: '', message: unlimited, severity: 'notice' }]
}

const unlimited =
  'broadcasts are not limited: this kernel has no nftables egress hook (Linux 5.16 with NETFILTER_EGRESS and NF_TABLES_NETDEV): take one that has, or set flood_limit to off'
