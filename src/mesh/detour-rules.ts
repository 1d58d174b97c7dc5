import { familyOf } from '../model/address.ts'
import type { Configuration } from '../model/configuration.ts'
import type { Facts } from '../model/facts.ts'
import { compareRules, type DetourRule } from '../model/gateway.ts'
import { detourExemptionsMax } from '../model/limits.ts'

const exemptPriority = 20_101

/**
 * What carries the mesh, and what answers to this machine's own addresses, never takes a detour: so a machine that is
 * reached from outside stays so, and no tunnel runs through itself. Then all routes of the machine but the default
 * ones, and the detours at last.
 */
export function detourRules({ tunnel, gossip }: Configuration, facts: Facts): readonly DetourRule[] {
  const plain: DetourRule = {
    priority: exemptPriority,
    table: 'main',
    withoutDefault: false,
    from: null,
    protocol: null,
    sourcePort: null,
    destinationPort: null,
  }
  const own = facts.addresses.map(({ address }) => address).filter(address => familyOf(address) === 4)
  const exempt: DetourRule[] = [
    { ...plain, protocol: 'udp', sourcePort: tunnel.port },
    { ...plain, protocol: 'tcp', sourcePort: gossip.port },
    { ...plain, protocol: 'tcp', destinationPort: gossip.port },
    ...[...new Set(own)].slice(0, detourExemptionsMax).map(from => ({ ...plain, from })),
  ]
  return [
    ...exempt,
    { ...plain, priority: exemptPriority + 1, withoutDefault: true },
    { ...plain, priority: exemptPriority + 2, table: 'detours' } satisfies DetourRule,
  ].sort(compareRules)
}
