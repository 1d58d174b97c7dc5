import { compareText } from '../model/address.ts'
import type { Plan, Step, StepKind } from '../model/step.ts'

/**
 * The order of application: the tunnel's MTU before a segment that needs it, what guards and limits a segment in one
 * transaction before it comes up, a WireGuard peer before whatever sends to it, flood entries last; then removals the
 * other way round. A segment that is made anew is taken away first. A detour comes before the rules that lead to it, and
 * goes after them. Steps of one tool stand together as far as their needs allow, because a round starts one process a run
 * of them.
 */
const rank: Readonly<Record<StepKind, number>> = {
  'tunnel.remove': 0,
  'segment.remove': 1,
  'tunnel.create': 2,
  'tunnel.configure': 3,
  'peer.renew': 4,
  'peer.set': 5,
  'link.mtu': 6,
  'bridge.create': 7,
  'segment.create': 8,
  'guard.set': 9,
  'limit.set': 9,
  'watch.set': 9,
  'segment.local': 10,
  'segment.ageing': 11,
  'segment.bridge': 12,
  'link.mac': 13,
  'link.ipv6': 14,
  'port.suppress': 15,
  'address.add': 16,
  'bridge.address.add': 17,
  'link.up': 18,
  'route.add': 19,
  'neighbour.set': 20,
  'bridge.neighbour.set': 21,
  'unicast.set': 22,
  'port.mac.set': 23,
  'flood.add': 24,
  'gateway.set': 25,
  'detour.set': 26,
  'rule.add': 27,
  'gateway.remove': 28,
  'rule.remove': 29,
  'detour.remove': 30,
  'flood.remove': 31,
  'port.mac.remove': 32,
  'unicast.remove': 33,
  'bridge.neighbours.remove': 34,
  'bridge.neighbour.remove': 35,
  'neighbour.remove': 36,
  'route.remove': 37,
  'bridge.address.remove': 38,
  'address.remove': 39,
  'peer.remove': 40,
  'limit.remove': 41,
  'guard.remove': 42,
  'watch.remove': 42,
  'bridge.remove': 43,
}

/** The plan of some steps: the same for the same steps, whatever their order was. */
export function order(steps: readonly Step[], tunnel: string | null): Plan {
  return steps
    .map(step => ({ step, turn: turnOf(step, tunnel), text: JSON.stringify(step) }))
    .sort((a, b) => rank[a.step.kind] - rank[b.step.kind] || a.turn - b.turn || compareText(a.text, b.text))
    .map(({ step }) => step)
}

/**
 * A segment's MTU cannot exceed its tunnel's, and its routes need the tunnel's: the tunnel comes first. The rule that
 * leads to the detours goes before those that keep the tunnel off them: its packets would run through itself meanwhile.
 */
function turnOf(step: Step, tunnel: string | null): number {
  if (step.kind === 'rule.remove') return -step.rule.priority
  const device = 'interface' in step ? step.interface : 'route' in step ? step.route.device : null
  return device === tunnel ? 0 : 1
}
