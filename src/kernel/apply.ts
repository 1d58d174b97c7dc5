import type { InterfaceName } from '../model/address.ts'
import { type Failure, failureOf } from '../model/failure.ts'
import type { MeshId } from '../model/node.ts'
import type { Plan, Step } from '../model/step.ts'
import { batchesOf } from './batch.ts'
import { describeForeign, type LinkName } from './foreign.ts'
import { markOf } from './mark.ts'
import { type PerformOptions, perform } from './perform.ts'
import type { StepFailure } from './port.ts'
import { readLinkNames } from './readers/links.ts'
import { run } from './run.ts'

export interface ApplyOptions extends PerformOptions {
  readonly mesh: MeshId
}

/** Applies a plan, batch by batch. One failure a step at most; devices without our mark are left alone. */
export async function applyPlan(plan: Plan, options: ApplyOptions): Promise<readonly StepFailure[]> {
  if (plan.length === 0) return []
  const foreign = await foreignDevices(options.mesh)
  if (foreign.failure !== null) return plan.map(step => ({ step, failure: foreign.failure }))
  const refused = plan.flatMap(step => refusal(step, foreign.devices))
  const refusedSteps = new Set(refused.map(({ step }) => step))
  const failures: StepFailure[] = [...refused]
  const allowed = plan.filter(step => !refusedSteps.has(step))
  for (const batch of batchesOf(allowed, options.mesh)) failures.push(...(await perform(batch, options)))
  return firstOfEach(failures)
}

/** The device a step writes to; null for routes that are on none, for tables, and for what is put on a bridge. */
function deviceOf(step: Step): InterfaceName | null {
  switch (step.kind) {
    case 'route.add':
    case 'route.remove':
      return step.route.device
    case 'segment.create':
      return step.segment.interface
    // These carry marks of their own, so that the bridge may be anybody's.
    case 'bridge.address.add':
    case 'bridge.address.remove':
    case 'bridge.neighbours.remove':
    case 'bridge.neighbour.set':
    case 'bridge.neighbour.remove':
    // Of these, some are on anybody's devices, too: their tables and numbers are lnet's.
    case 'gateway.set':
    case 'gateway.remove':
    case 'detour.set':
    case 'detour.remove':
    case 'rule.add':
    case 'rule.remove':
    case 'guard.set':
    case 'guard.remove':
    case 'limit.remove':
    case 'watch.set':
    case 'watch.remove':
      return null
    default:
      return step.interface
  }
}

/** Looked up anew each time: between two rounds somebody may have taken a name of ours. */
async function foreignDevices(
  mesh: MeshId,
): Promise<{ devices: ReadonlyMap<string, LinkName>; failure: null } | { failure: Failure }> {
  const listed = await run({ tool: 'ip', arguments: ['-json', '-details', 'link', 'show'] })
  if (!listed.ok) return { failure: listed.failure }
  const links = readLinkNames(listed.value)
  if (!links.ok) return { failure: links.failure }
  const unmarked = links.value.filter(({ alias }) => alias !== markOf(mesh))
  return { devices: new Map(unmarked.map(link => [link.name, link])), failure: null }
}

function refusal(step: Step, foreign: ReadonlyMap<string, LinkName>): readonly StepFailure[] {
  const device = deviceOf(step)
  const link = device === null ? undefined : foreign.get(device)
  // A foreign device's own route may be taken away when it carries our protocol number.
  if (link === undefined || step.kind === 'route.remove') return []
  // Where a segment is in a bridge, that bears its network.
  if (step.kind === 'route.add' && link.kind === 'bridge') return []
  const remedy = 'rename or remove it, or configure another name'
  return [{ step, failure: failureOf(`${device} is ${describeForeign(link)}, not lnet's`, { remedy }) }]
}

function firstOfEach(failures: readonly StepFailure[]): readonly StepFailure[] {
  const first = new Map<Step, StepFailure>()
  for (const failure of failures) if (!first.has(failure.step)) first.set(failure.step, failure)
  return [...first.values()]
}
