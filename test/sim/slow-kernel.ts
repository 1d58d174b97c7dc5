import type { Closeable, Kernel, KernelEvent, ProbeWire, StepFailure } from '../../src/kernel/port.ts'
import type { IpAddress } from '../../src/model/address.ts'
import type { Result } from '../../src/model/failure.ts'
import { failed } from '../../src/model/failure.ts'
import type { Observation } from '../../src/model/kernel-state.ts'
import type { PathAnswer } from '../../src/model/path.ts'
import type { Plan } from '../../src/model/step.ts'
import type { Machine, World } from './machine.ts'
import type { Process } from './process.ts'

/** How long the tools and the decision take, milliseconds (measured): a start of each, and a bit for each peer or step. */
const processMilliseconds = { min: 8, max: 25 }
const lookPerPeerMilliseconds = 0.08
const applyPerStepMilliseconds = 0.07

/** The kernel as one daemon has it: every look and every change takes time, and ends with the daemon. */
export class SlowKernel implements Kernel {
  readonly #world: World
  readonly #machine: Machine
  readonly #process: Process

  constructor(world: World, machine: Machine, process: Process) {
    this.#world = world
    this.#machine = machine
    this.#process = process
  }

  async observe(): Promise<Result<Observation>> {
    await this.#look()
    if (!this.#world.isLooking && this.#fails()) return failed('the kernel does not answer (injected)')
    return this.#machine.kernel.observe()
  }

  async glance(before: Observation): Promise<Result<Observation>> {
    await this.#look()
    if (!this.#world.isLooking && this.#fails()) return failed('WireGuard does not answer (injected)')
    return this.#machine.kernel.glance(before)
  }

  async apply(plan: Plan): Promise<readonly StepFailure[]> {
    await this.#takeTime(plan.length * applyPerStepMilliseconds)
    const { kernel } = this.#machine
    if (this.#fails()) kernel.failStep(1 + Math.floor(this.#world.time.random() * plan.length))
    const failures = await kernel.apply(plan)
    kernel.plans.length = 0
    const broken = new Set(failures.map(({ step }) => step))
    this.#world.wires.applied(
      this.#machine,
      plan.filter(step => !broken.has(step)),
    )
    return failures
  }

  watch(listener: (event: KernelEvent) => void): Closeable {
    return this.#machine.kernel.watch(event => {
      this.#process.after(1 + this.#world.time.random() * 5, () => listener(event))
    })
  }

  path(address: IpAddress): Promise<PathAnswer> {
    return this.#machine.kernel.path(address)
  }

  refuses(): Promise<boolean> {
    return this.#machine.kernel.refuses()
  }

  probes(): ProbeWire {
    return this.#machine.kernel.probes()
  }

  speak(vteps: readonly IpAddress[]): void {
    this.#world.wires.speak(this.#machine, vteps)
  }

  question(): Promise<number | null> {
    return this.#machine.kernel.question()
  }

  async #look(): Promise<void> {
    if (this.#world.isLooking) return
    const peers = this.#machine.kernel.tunnel?.peers.size ?? 0
    await this.#takeTime(peers * lookPerPeerMilliseconds)
  }

  #takeTime(milliseconds: number): Promise<void> {
    const { time, kernelSlowness } = this.#world
    const { min, max } = processMilliseconds
    return this.#process.sleep(kernelSlowness * (min + time.random() * (max - min) + milliseconds))
  }

  #fails(): boolean {
    const { kernelFaultsPercent, time } = this.#world
    return kernelFaultsPercent > 0 && time.random() * 100 < kernelFaultsPercent
  }
}
