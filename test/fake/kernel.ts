import type { Closeable, Kernel, KernelEvent, ProbeWire, StepFailure } from '../../src/kernel/port.ts'
import { compareText, type InterfaceName, type IpAddress } from '../../src/model/address.ts'
import { describeStep } from '../../src/model/describe-step.ts'
import { failed, failureOf, ok, type Result } from '../../src/model/failure.ts'
import type { ForeignNetwork } from '../../src/model/foreign-network.ts'
import {
  type BridgeFacts,
  emptyKernelState,
  type ForeignDevice,
  type KernelState,
  type Observation,
  type TunnelImplementation,
  type WireguardReading,
} from '../../src/model/kernel-state.ts'
import type { PathAnswer } from '../../src/model/path.ts'
import type { Plan, Step } from '../../src/model/step.ts'
import type { WireguardPublicKey } from '../../src/model/wireguard-key.ts'
import { freeze, type KernelDraft, type TunnelDraft, thaw } from './kernel-draft.ts'
import { applyStep } from './kernel-steps.ts'

export interface FakeKernelOptions {
  readonly state?: KernelState
  readonly implementation?: TunnelImplementation
  readonly foreign?: readonly ForeignDevice[]
  /** Bridges of the machine that segments can be put into. */
  readonly bridges?: readonly string[]
  /** Like the real one, tell of the changes we made ourselves. */
  readonly echo?: boolean
}

/** How often the daemon asked. */
export interface CallCounts {
  observe: number
  glance: number
  apply: number
  /** Steps that took effect. */
  steps: number
}

/**
 * A kernel in memory that is as strict as the real one about devices and order: a step that could not work there
 * fails here too, and costs only itself. Deterministic, without timers.
 */
export class FakeKernel implements Kernel {
  readonly calls: CallCounts = { observe: 0, glance: 0, apply: 0, steps: 0 }
  /** Every plan that was applied, in order. Cleared by whoever reads it. */
  readonly plans: Plan[] = []
  /** The VTEPs each `speak` went to. */
  readonly spoken: (readonly IpAddress[])[] = []
  /** What `path` answers; an error for all others. */
  readonly paths = new Map<IpAddress, PathAnswer>()
  foreign: readonly ForeignDevice[]
  /** What else this machine is in. */
  networks: readonly ForeignNetwork[] = []
  readonly #implementation: TunnelImplementation
  readonly #echo: boolean
  readonly #listeners = new Set<(event: KernelEvent) => void>()
  readonly #bridges: ReadonlySet<string>
  readonly #measured = new Map<WireguardPublicKey, WireguardReading>()
  #draft: KernelDraft
  #observation: Observation | null = null
  #stepsUntilFailure: number | null = null
  #stepFailure = ''
  #observeFailure: string | null = null

  async path(address: IpAddress): Promise<PathAnswer> {
    return this.paths.get(address) ?? { ok: false, error: 'ENETUNREACH' }
  }

  /** Something listens on every port of every machine. */
  async refuses(): Promise<boolean> {
    return false
  }

  constructor(options: FakeKernelOptions = {}) {
    this.foreign = options.foreign ?? []
    this.#implementation = options.implementation ?? 'kernel'
    this.#echo = options.echo ?? false
    this.#bridges = new Set(options.bridges ?? [])
    this.#draft = thaw(options.state ?? emptyKernelState)
  }

  /** What is there now, canonical. */
  get state(): KernelState {
    return this.#look().state
  }

  /** For whoever moves packets: the live tunnel, without the cost of a look. */
  get tunnel(): Readonly<TunnelDraft> | null {
    return this.#draft.tunnel
  }

  observe(): Promise<Result<Observation>> {
    this.calls.observe += 1
    return Promise.resolve(this.#observeFailure === null ? ok(this.#look()) : failed(this.#observeFailure))
  }

  glance(before: Observation): Promise<Result<Observation>> {
    this.calls.glance += 1
    if (this.#observeFailure !== null) return Promise.resolve(failed(this.#observeFailure))
    const { tunnel } = before.state
    if (tunnel === null) return Promise.resolve(ok(before))
    const { state, readings } = this.#look()
    if (state.tunnel === null) return Promise.resolve(failed(`${tunnel.interface} is not there`))
    const { publicKey, listenPort, peers } = state.tunnel
    const known = { ...before.state, tunnel: { ...tunnel, publicKey, listenPort, peers } }
    return Promise.resolve(ok({ ...before, state: known, readings }))
  }

  apply(plan: Plan): Promise<readonly StepFailure[]> {
    this.calls.apply += 1
    this.plans.push(plan)
    const failures = plan.flatMap(step => this.#applyOne(step))
    this.#observation = null
    if (this.#echo && failures.length < plan.length) this.fire('ours')
    return Promise.resolve(failures)
  }

  watch(listener: (event: KernelEvent) => void): Closeable {
    this.#listeners.add(listener)
    return { close: () => this.#listeners.delete(listener) }
  }

  speak(vteps: readonly IpAddress[]): void {
    this.spoken.push(vteps)
  }

  /** No bridge here has a physical port. */
  probes(): ProbeWire {
    return { say: () => undefined, ask: () => Promise.resolve(false), close: () => undefined }
  }

  /** Nobody is on the other side. */
  question(): Promise<null> {
    return Promise.resolve(null)
  }

  /** Tells all watchers. */
  fire(event: KernelEvent): void {
    for (const listener of [...this.#listeners]) listener(event)
  }

  /** Somebody else changes what is there; the kernel tells of it where it tells of such changes at all. */
  meddle(change: (state: KernelState) => KernelState, event: KernelEvent | null = 'ours'): void {
    this.#draft = thaw(change(this.state))
    this.#observation = null
    if (event !== null) this.fire(event)
  }

  /** The nth step from now on fails, counted from 1, and only that one. */
  failStep(nth: number, message = 'injected failure'): void {
    this.#stepsUntilFailure = nth
    this.#stepFailure = message
  }

  /** Looking fails until it is called with null. */
  failLooking(message: string | null): void {
    this.#observeFailure = message
  }

  /** What WireGuard measured of a peer; an endpoint is one it roamed to. Unknown peers are passed over. */
  measure(publicKey: WireguardPublicKey, measured: Partial<Omit<WireguardReading, 'publicKey'>>): void {
    const peers = this.#draft.tunnel?.peers
    const peer = peers?.get(publicKey)
    if (peers === undefined || peer === undefined) return
    if (measured.endpoint !== undefined) peers.set(publicKey, { ...peer, endpoint: measured.endpoint })
    this.#measured.set(publicKey, { ...(this.#measured.get(publicKey) ?? unheard(publicKey)), ...measured })
    this.#observation = null
  }

  #applyOne(step: Step): readonly StepFailure[] {
    const reason = this.#injected() ?? this.#refusal(step) ?? applyStep(this.#draft, step, this.#bridges)
    if (reason === null) {
      this.calls.steps += 1
      if (step.kind === 'peer.renew') this.#measured.delete(step.peer.publicKey)
      if (step.kind === 'peer.remove') this.#measured.delete(step.publicKey)
      return []
    }
    const failure = failureOf(`could not ${describeStep(step)}`, { why: reason, exitCode: 1, stderr: reason })
    return [{ step, failure }]
  }

  #injected(): string | null {
    if (this.#stepsUntilFailure === null) return null
    this.#stepsUntilFailure -= 1
    if (this.#stepsUntilFailure > 0) return null
    this.#stepsUntilFailure = null
    return this.#stepFailure
  }

  #refusal(step: Step): string | null {
    if (this.foreign.length === 0 || !('interface' in step || step.kind === 'segment.create')) return null
    const device = 'interface' in step ? step.interface : step.segment.interface
    return this.foreign.some(other => other.interface === device) ? `${device} is not lnet's` : null
  }

  #bridgeFacts({ bridges }: KernelState): readonly BridgeFacts[] {
    const own = new Set(bridges.filter(({ mac }) => mac !== null).map(bridge => bridge.interface))
    const names = new Set([...own, ...(this.#bridges as ReadonlySet<InterfaceName>)])
    return [...names].sort(compareText).map(name => ({
      interface: name,
      own: own.has(name),
      up: true,
      stp: false,
      physicalPorts: [],
      stacked: [],
    }))
  }

  #look(): Observation {
    if (this.#observation !== null) return this.#observation
    const state = freeze(this.#draft)
    const peers = state.tunnel?.peers ?? []
    this.#observation = {
      state,
      readings: peers.map(({ publicKey, endpoint }) => ({
        ...(this.#measured.get(publicKey) ?? unheard(publicKey)),
        endpoint,
      })),
      implementation: state.tunnel === null ? null : this.#implementation,
      foreign: this.foreign,
      networks: this.networks,
      bridges: this.#bridgeFacts(state),
      forwarding: [],
      floods: [],
      limitsFloods: true,
      watchesLoops: true,
      unprivilegedPortStart: 1024,
    }
    return this.#observation
  }
}

function unheard(publicKey: WireguardPublicKey): WireguardReading {
  return { publicKey, endpoint: null, handshakeAt: null, receivedBytes: 0, sentBytes: 0 }
}
