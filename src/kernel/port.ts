import type { IpAddress } from '../model/address.ts'
import type { Failure, Result } from '../model/failure.ts'
import type { Observation } from '../model/kernel-state.ts'
import type { Plan, Step } from '../model/step.ts'
import type { WireguardPublicKey, WireguardSecretKey } from '../model/wireguard-key.ts'

/** The kernel as the daemon sees it. Operating failures are values; nothing here throws for them. */
export interface Kernel {
  /**
   * Everything under our mark, and whoever holds our names without it. At most 4 processes, whatever the mesh's size;
   * one more until the kernel once showed that it can limit what floods.
   */
  observe(): Promise<Result<Observation>>
  /** `before` with WireGuard's peers and counters as they are now, of which no event tells: one process. */
  glance(before: Observation): Promise<Result<Observation>>
  /** Applies the steps in their order, batched; goes on after a failure so that one bad step costs only itself. */
  apply(plan: Plan): Promise<readonly StepFailure[]>
  /** Tells of changes as the kernel reports them, until closed. Restarts its own monitors. */
  watch(listener: (event: KernelEvent) => void): Closeable
  /** Says a word (one small UDP datagram) through the tunnel to each VTEP, so that WireGuard there learns our endpoint. */
  speak(vteps: readonly IpAddress[]): void
  /** The round trip to a VTEP in milliseconds; null when nothing came back in time. One small datagram each way. */
  question(vtep: IpAddress): Promise<number | null>
}

export interface StepFailure {
  readonly step: Step
  readonly failure: Failure
}

/** `ours`: something under our mark changed. `underlay`: another device's link or address did. */
export type KernelEvent = 'ours' | 'underlay'

export interface Closeable {
  close(): void
}

/** What the adapter needs to know and must never show. */
export interface TunnelSecrets {
  readonly privateKey: WireguardSecretKey
  presharedKey(publicKey: WireguardPublicKey): WireguardSecretKey
}
