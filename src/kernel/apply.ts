import type { InterfaceName } from '../model/address.ts'
import type { Failure } from '../model/failure.ts'
import type { TunnelImplementation } from '../model/kernel-state.ts'
import type { MeshId } from '../model/node.ts'
import { describeStep, type Plan, type Step } from '../model/step.ts'
import { type Batch, batchesOf, type InstructionOf, type Traced } from './batch.ts'
import { explain } from './explain.ts'
import { describeForeign } from './foreign.ts'
import { markOf } from './mark.ts'
import type { StepFailure, TunnelSecrets } from './port.ts'
import { readBatchErrors } from './readers/batch-errors.ts'
import { readLinkNames } from './readers/links.ts'
import { peerSection } from './render.ts'
import { type Command, execute, firstLines, run } from './run.ts'
import { writeSysctl } from './sysctl.ts'
import { createTunnel } from './tunnel.ts'

export interface ApplyOptions {
  readonly mesh: MeshId
  readonly implementation: TunnelImplementation | null
  readonly secrets: TunnelSecrets
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

/** The device a step writes to; null for routes that are on none and for tables. */
function deviceOf(step: Step): InterfaceName | null {
  switch (step.kind) {
    case 'route.add':
    case 'route.remove':
      return step.route.device
    case 'segment.create':
      return step.segment.interface
    case 'guard.set':
    case 'guard.remove':
      return null
    default:
      return step.interface
  }
}

/** Looked up anew each time: between two rounds somebody may have taken a name of ours. */
async function foreignDevices(
  mesh: MeshId,
): Promise<{ devices: ReadonlyMap<string, string>; failure: null } | { failure: Failure }> {
  const listed = await run({ tool: 'ip', arguments: ['-json', '-details', 'link', 'show'] })
  if (!listed.ok) return { failure: listed.failure }
  const links = readLinkNames(listed.value)
  if (!links.ok) return { failure: links.failure }
  const unmarked = links.value.filter(({ alias }) => alias !== markOf(mesh))
  return { devices: new Map(unmarked.map(link => [link.name, describeForeign(link)])), failure: null }
}

function refusal(step: Step, foreign: ReadonlyMap<string, string>): readonly StepFailure[] {
  const device = deviceOf(step)
  const what = device === null ? undefined : foreign.get(device)
  // A foreign device's own route may be taken away when it carries our protocol number.
  if (what === undefined || step.kind === 'route.remove') return []
  const message = `${device} is ${what}, not lnet's: rename or remove it, or configure another name`
  return [{ step, failure: { message, command: null, exitCode: null, stderr: '' } }]
}

function perform(batch: Batch, options: ApplyOptions): Promise<readonly StepFailure[]> {
  switch (batch.tool) {
    case 'ip':
    case 'bridge':
      return performLines(batch.tool, batch.items)
    case 'nft':
      return performScripts(batch.items)
    case 'wg-peer':
      return whole(batch.items, peersCommand(batch.items, options.secrets))
    case 'wg-remove':
      return whole(batch.items, removalCommand(batch.items))
    case 'wg-device':
      return whole(batch.items, deviceCommand(batch.items, options.secrets))
    case 'tunnel':
      return each(batch.items, ({ instruction }) =>
        createTunnel(instruction.interface, instruction.mtu, options.implementation),
      )
    case 'sysctl':
      return each(batch.items, ({ instruction }) => writeSysctl(instruction.path, instruction.value))
  }
}

type LineItem = Traced<InstructionOf<'ip' | 'bridge'>>

/** iproute2 leaves a whole batch with this code when it cannot make sense of one word, `-force` or not. */
const abandonedExitCode = 255

async function performLines(
  tool: 'ip' | 'bridge',
  items: readonly LineItem[],
): Promise<readonly StepFailure[]> {
  const input = items.map(({ instruction }) => `${instruction.line}\n`).join('')
  const { stderr, failure } = await execute({ tool, arguments: ['-force', '-batch', '-'], input })
  if (failure === null) return []
  if (failure.exitCode === abandonedExitCode) {
    const [item] = items
    if (items.length === 1 && item !== undefined) return lineFailure(item, stderr, abandonedExitCode)
    return await performHalves(tool, items)
  }
  const errors = readBatchErrors(stderr)
  if (errors.size === 0) return items.map(({ step }) => ({ step, failure }))
  return items.flatMap((item, index) => {
    const said = errors.get(index + 1)
    return said === undefined ? [] : lineFailure(item, said, failure.exitCode)
  })
}

/** Every line may be said twice, so the bad one is found by halving. */
async function performHalves(
  tool: 'ip' | 'bridge',
  items: readonly LineItem[],
): Promise<readonly StepFailure[]> {
  const middle = Math.ceil(items.length / 2)
  const first = await performLines(tool, items.slice(0, middle))
  return [...first, ...(await performLines(tool, items.slice(middle)))]
}

function lineFailure(
  { step, instruction }: LineItem,
  said: string,
  exitCode: number | null,
): readonly StepFailure[] {
  if (instruction.tolerated?.test(said)) return []
  const message = `could not ${describeStep(step)}${explain(said)}`
  const command = `${instruction.tool} ${instruction.line}`
  return [{ step, failure: { message, command, exitCode, stderr: firstLines(said) } }]
}

/** One transaction; when it fails, each table alone, so that a bad one costs only itself. */
async function performScripts(
  items: readonly Traced<InstructionOf<'nft'>>[],
): Promise<readonly StepFailure[]> {
  const input = items.map(({ instruction }) => instruction.script).join('')
  const failures = await whole(items, { tool: 'nft', arguments: ['-f', '-'], input })
  if (failures.length < 2) return failures
  const alone: StepFailure[] = []
  for (const item of items) alone.push(...(await performScripts([item])))
  return alone
}

function peersCommand(items: readonly Traced<InstructionOf<'wg-peer'>>[], secrets: TunnelSecrets): Command {
  const input = items.map(({ instruction }) => peerSection(instruction.peer, secrets)).join('')
  return { tool: 'wg', arguments: ['addconf', interfaceOf(items), '/dev/stdin'], input }
}

function removalCommand(items: readonly Traced<InstructionOf<'wg-remove'>>[]): Command {
  const keys = items.flatMap(({ instruction }) => ['peer', instruction.publicKey, 'remove'])
  return { tool: 'wg', arguments: ['set', interfaceOf(items), ...keys] }
}

function deviceCommand(
  items: readonly Traced<InstructionOf<'wg-device'>>[],
  secrets: TunnelSecrets,
): Command {
  const port = String(items[0]?.instruction.listenPort)
  const rest = ['set', interfaceOf(items), 'listen-port', port, 'private-key', '/dev/stdin']
  return { tool: 'wg', arguments: rest, input: `${secrets.privateKey}\n` }
}

function interfaceOf(
  items: readonly Traced<InstructionOf<'wg-peer' | 'wg-remove' | 'wg-device'>>[],
): InterfaceName {
  return (items[0] as (typeof items)[number]).instruction.interface
}

/** Runs one command for all its steps: they succeed or fail together. */
async function whole(
  items: readonly { readonly step: Step }[],
  command: Command,
): Promise<readonly StepFailure[]> {
  const { failure } = await execute(command)
  return failure === null ? [] : items.map(({ step }) => ({ step, failure }))
}

async function each<Item extends { readonly step: Step }>(
  items: readonly Item[],
  act: (item: Item) => Promise<Failure | null>,
): Promise<readonly StepFailure[]> {
  const failures: StepFailure[] = []
  for (const item of items) {
    const failure = await act(item)
    if (failure !== null) failures.push({ step: item.step, failure })
  }
  return failures
}

function firstOfEach(failures: readonly StepFailure[]): readonly StepFailure[] {
  const first = new Map<Step, StepFailure>()
  for (const failure of failures) if (!first.has(failure.step)) first.set(failure.step, failure)
  return [...first.values()]
}
