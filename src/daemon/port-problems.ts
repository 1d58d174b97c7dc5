import { noticed, type Problem } from '../model/problem.ts'
import type { State } from './state.ts'

/** The last port that segment devices send from: what a user may bind of these, the guard takes for a device's. */
const devicePortMax = 1023

/** The guard tells a segment device from a local user by its source port. */
export function portProblems({ observation }: Pick<State, 'observation'>): readonly Problem[] {
  if (observation === null || observation.state.segments.length === 0) return []
  const { unprivilegedPortStart: start } = observation
  if (start > devicePortMax) return []
  const what = `every user of this machine may send from UDP ports ${start} to ${devicePortMax}`
  return [
    noticed('ports-unprivileged', '', what, {
      why: 'net.ipv4.ip_unprivileged_port_start is below 1024, so local users can put frames into the segments of other members',
      remedy:
        'set net.ipv4.ip_unprivileged_port_start to 1024, and grant low ports to single services instead',
    }),
  ]
}
