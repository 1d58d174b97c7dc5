import type { InterfaceName } from '../model/address.ts'
import { ok, type Result } from '../model/failure.ts'
import type { GatewayState } from '../model/gateway.ts'
import type { FloodReading, Guard } from '../model/kernel-state.ts'
import { type ForwardingTable, readForwarding } from './readers/fdb.ts'
import { readFloodLimits } from './readers/flood-limits.ts'
import { readGateway } from './readers/gateway.ts'
import { readGuards } from './readers/guards.ts'
import { run } from './run.ts'

/** What lnet's nft tables say. */
export interface Tables {
  readonly guards: ReadonlyMap<InterfaceName, Guard>
  readonly gateway: GatewayState | null
  /** Frames per second; 0 where somebody altered it. */
  readonly limits: ReadonlyMap<InterfaceName, number>
  readonly floods: readonly FloodReading[]
}

/** One process; `forwards`: devices that forward, of those that have to. */
export async function observeTables(forwards: readonly InterfaceName[]): Promise<Result<Tables>> {
  const listed = await run({ tool: 'nft', arguments: ['-j', 'list ruleset inet; list ruleset netdev'] })
  if (!listed.ok) return listed
  const [inet = '', netdev = ''] = listed.value.split('\n')
  const guards = readGuards(inet)
  if (!guards.ok) return guards
  const gateway = readGateway(inet, forwards)
  if (!gateway.ok) return gateway
  const floods = readFloodLimits(netdev)
  return floods.ok ? ok({ guards: guards.value, gateway: gateway.value, ...floods.value }) : floods
}

/** The forwarding tables of segments: one process, none where there are none. */
export async function observeForwarding(
  segments: ReadonlySet<InterfaceName>,
): Promise<Result<ReadonlyMap<InterfaceName, ForwardingTable>>> {
  if (segments.size === 0) return ok(new Map())
  const listed = await run({ tool: 'bridge', arguments: ['-json', 'fdb', 'show'] })
  return listed.ok ? readForwarding(listed.value, segments) : listed
}
