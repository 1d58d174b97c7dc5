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
  'link.trust': 10,
  'segment.local': 11,
  'segment.ageing': 12,
  'segment.bridge': 13,
  'link.mac': 14,
  'link.ipv6': 15,
  'port.suppress': 16,
  'address.add': 17,
  'bridge.address.add': 18,
  'link.up': 19,
  'route.add': 20,
  'neighbour.set': 21,
  'bridge.neighbour.set': 22,
  'unicast.set': 23,
  'port.mac.set': 24,
  'flood.add': 25,
  'gateway.set': 26,
  'detour.set': 27,
  'rule.add': 28,
  'gateway.remove': 29,
  'rule.remove': 30,
  'detour.remove': 31,
  'flood.remove': 32,
  'port.mac.remove': 33,
  'unicast.remove': 34,
  'bridge.neighbours.remove': 35,
  'bridge.neighbour.remove': 36,
  'neighbour.remove': 37,
  'route.remove': 38,
  'learned.remove': 39,
  'bridge.address.remove': 40,
  'address.remove': 41,
  'peer.remove': 42,
  'limit.remove': 43,
  'guard.remove': 44,
  'watch.remove': 44,
  'bridge.remove': 45,
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
