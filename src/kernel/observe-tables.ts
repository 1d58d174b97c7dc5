import type { InterfaceName } from '../model/address.ts'
import { ok, type Result } from '../model/failure.ts'
import type { GatewayState } from '../model/gateway.ts'
import type { Guard } from '../model/guard.ts'
import type { FloodReading } from '../model/kernel-state.ts'
import type { LoopWatch } from '../model/loop-watch.ts'
import { type ForwardingTable, readForwarding } from './readers/fdb.ts'
import { readFloodLimits } from './readers/flood-limits.ts'
import { readGateway } from './readers/gateway.ts'
import { readGuards } from './readers/guards.ts'
import { readLoopWatches } from './readers/loop-watches.ts'
import { run } from './run.ts'

/** What lnet's nft tables say. */
export interface Tables {
  readonly guards: ReadonlyMap<InterfaceName, Guard>
  readonly gateway: GatewayState | null
  /** Frames per second; 0 where somebody altered it. */
  readonly limits: ReadonlyMap<InterfaceName, number>
  readonly floods: readonly FloodReading[]
  /** Sorted by interface. */
  readonly watches: readonly LoopWatch[]
}

/** One process; `forwards`: devices that forward, of those that have to. */
export async function observeTables(forwards: readonly InterfaceName[]): Promise<Result<Tables>> {
  const listed = await run({
    tool: 'nft',
    // What is in sets is looked up by nobody, and may be much.
    arguments: ['-j', '--terse', 'list ruleset inet; list ruleset netdev; list ruleset bridge'],
  })
  if (!listed.ok) return listed
  const [inet = '', netdev = '', bridge = ''] = listed.value.split('\n')
  const guards = readGuards(inet)
  if (!guards.ok) return guards
  const gateway = readGateway(inet, forwards)
  if (!gateway.ok) return gateway
  const floods = readFloodLimits(netdev)
  if (!floods.ok) return floods
  const watches = readLoopWatches(bridge)
  if (!watches.ok) return watches
  return ok({ guards: guards.value, gateway: gateway.value, watches: watches.value, ...floods.value })
}

/** The forwarding tables of segments: one process, none where there are none. */
export async function observeForwarding(
  segments: ReadonlySet<InterfaceName>,
): Promise<Result<ReadonlyMap<InterfaceName, ForwardingTable>>> {
  if (segments.size === 0) return ok(new Map())
  const listed = await run({ tool: 'bridge', arguments: ['-json', 'fdb', 'show'] })
  return listed.ok ? readForwarding(listed.value, segments) : listed
}
