import { compareText } from '../model/address.ts'
import type { Plan, Step, StepKind } from '../model/step.ts'

/**
 * The order of application: the guard before its device, the tunnel's MTU before a segment that needs it, a WireGuard
 * peer before whatever sends to it, flood entries last; then removals the other way round. A segment that is made
 * anew is taken away first. Steps of one tool stand together as far as their needs allow, because a round starts one
 * process a run of them.
 */
const rank: Readonly<Record<StepKind, number>> = {
  'tunnel.remove': 0,
  'segment.remove': 1,
  'tunnel.create': 2,
  'tunnel.configure': 3,
  'peer.renew': 4,
  'peer.set': 5,
  'guard.set': 6,
  'link.mtu': 7,
  'segment.create': 8,
  'segment.local': 9,
  'segment.ageing': 9,
  'segment.bridge': 10,
  'link.mac': 11,
  'link.ipv6': 12,
  'address.add': 13,
  'link.up': 14,
  'route.add': 15,
  'neighbour.set': 16,
  'unicast.set': 17,
  'flood.add': 18,
  'flood.remove': 19,
  'unicast.remove': 20,
  'neighbour.remove': 21,
  'route.remove': 22,
  'address.remove': 23,
  'peer.remove': 24,
  'guard.remove': 25,
}

/** The plan of some steps: the same for the same steps, whatever their order was. */
export function order(steps: readonly Step[], tunnel: string | null): Plan {
  return steps
    .map(step => ({ step, key: `${deviceRank(step, tunnel)} ${JSON.stringify(step)}` }))
    .sort((a, b) => rank[a.step.kind] - rank[b.step.kind] || compareText(a.key, b.key))
    .map(({ step }) => step)
}

/** A segment's MTU cannot exceed its tunnel's, and its routes need the tunnel's: the tunnel comes first. */
function deviceRank(step: Step, tunnel: string | null): number {
  const device = 'interface' in step ? step.interface : 'route' in step ? step.route.device : null
  return device === tunnel ? 0 : 1
}
