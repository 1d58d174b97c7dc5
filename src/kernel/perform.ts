import type { InterfaceName } from '../model/address.ts'
import { describeStep } from '../model/describe-step.ts'
import { type Failure, failureOf } from '../model/failure.ts'
import type { TunnelImplementation } from '../model/kernel-state.ts'
import type { Step } from '../model/step.ts'
import type { Batch, InstructionOf, Traced } from './batch.ts'
import { explain } from './explain.ts'
import type { StepFailure, TunnelSecrets } from './port.ts'
import { readBatchErrors } from './readers/batch-errors.ts'
import { peerSection } from './render.ts'
import { type Command, execute, firstLines } from './run.ts'
import { setForwarding, writeSysctl } from './sysctl.ts'
import { createTunnel } from './tunnel.ts'

export interface PerformOptions {
  readonly implementation: TunnelImplementation | null
  readonly secrets: TunnelSecrets
}

/** Does what a batch says, in one process where nothing goes wrong. Failures by step; a step may have several. */
export function perform(batch: Batch, options: PerformOptions): Promise<readonly StepFailure[]> {
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
    case 'forwarding':
      return each(batch.items, ({ instruction }) => setForwarding(instruction.interface, instruction.on))
    case 'sysctl':
      return each(batch.items, ({ instruction }) => writeSysctl(instruction.path, instruction.value))
  }
}

type LineItem = Traced<InstructionOf<'ip' | 'bridge'>>

/**
 * iproute2 leaves a whole batch with this code when it cannot make sense of one word, `-force` or not; and without naming
 * a line when a neighbour cannot be changed.
 */
const abandonedExitCode = 255

async function performLines(
  tool: 'ip' | 'bridge',
  items: readonly LineItem[],
): Promise<readonly StepFailure[]> {
  const input = items.map(({ instruction }) => `${instruction.line}\n`).join('')
  const { stderr, failure } = await execute({ tool, arguments: ['-force', '-batch', '-'], input })
  if (failure === null) return []
  const errors = readBatchErrors(stderr)
  if (failure.exitCode === abandonedExitCode || (failure.exitCode !== null && errors.size === 0)) {
    const [item] = items
    if (items.length === 1 && item !== undefined) return lineFailure(item, stderr, failure.exitCode)
    return await performHalves(tool, items)
  }
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
  const command = `${instruction.tool} ${instruction.line}`
  return [
    {
      step,
      failure: failureOf(`could not ${describeStep(step)}`, {
        ...explain(said),
        command,
        exitCode,
        stderr: firstLines(said),
      }),
    },
  ]
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
