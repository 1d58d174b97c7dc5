import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { KernelEvent, StepFailure } from '../../src/kernel/port.ts'
import type { Failure, Result } from '../../src/model/failure.ts'
import type { Observation } from '../../src/model/kernel-state.ts'
import type { Plan } from '../../src/model/step.ts'
import type { Request } from './kernel-agent.ts'
import { eventually } from './lab.ts'
import type { Namespace } from './namespace.ts'
import { root } from './root.ts'

/** A Linux adapter at work inside a namespace. */
export interface RemoteKernel {
  /** In the namespace's own process numbers. */
  readonly process: ChildProcess
  readonly events: { readonly event: KernelEvent; readonly at: number }[]
  readonly failures: Failure[]
  /** How long the last call took inside. */
  milliseconds: number
  observe(): Promise<Result<Observation>>
  apply(plan: Plan): Promise<readonly StepFailure[]>
  call(request: Request): Promise<unknown>
  /** Ends it as a daemon ends; `SIGKILL` as a crash. */
  end(signal?: 'SIGKILL'): Promise<void>
}

export function startKernel(
  space: Namespace,
  wrap: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): RemoteKernel {
  const node = join(root, 'node_modules/.bin/node')
  const [file, ...args] = space.argv([...wrap, node, join(root, 'test/lab/kernel-agent.ts')])
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, ...env } })
  const waiting: ((value: unknown) => void)[] = []
  const remote: RemoteKernel = {
    process: child,
    events: [],
    failures: [],
    milliseconds: 0,
    observe: () => remote.call({ method: 'observe' }) as Promise<Result<Observation>>,
    apply: plan => remote.call({ method: 'apply', argument: plan }) as Promise<readonly StepFailure[]>,
    call: request =>
      new Promise(resolve => {
        waiting.push(resolve)
        child.stdin.write(`${JSON.stringify(request)}\n`)
      }),
    end: signal => finish(child, signal),
  }
  createInterface({ input: child.stdout }).on('line', line => hear(remote, waiting, JSON.parse(line)))
  return remote
}

interface Heard {
  readonly event?: KernelEvent
  readonly at?: number
  readonly failure?: Failure
  readonly result?: unknown
  readonly milliseconds?: number
}

function hear(remote: RemoteKernel, waiting: ((value: unknown) => void)[], said: Heard): void {
  if (said.event !== undefined) remote.events.push({ event: said.event, at: said.at ?? 0 })
  else if (said.failure !== undefined) remote.failures.push(said.failure)
  else {
    remote.milliseconds = said.milliseconds ?? 0
    waiting.shift()?.(said.result)
  }
}

async function finish(child: ChildProcess, signal: 'SIGKILL' | undefined): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise(resolve => child.once('exit', resolve))
  if (signal === undefined) child.stdin?.end()
  else child.kill(signal)
  await ended
}

/** Asks until it is so. */
export async function until(what: string, condition: () => Promise<boolean> | boolean): Promise<void> {
  await eventually(what, async () => ((await condition()) ? true : null))
}
