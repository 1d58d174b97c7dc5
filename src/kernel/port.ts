import type { LoopProbe } from '../mesh/loop-probe.ts'
import type { InterfaceName, IpAddress, Port } from '../model/address.ts'
import type { Failure, Result } from '../model/failure.ts'
import type { Observation } from '../model/kernel-state.ts'
import type { LinkPlace } from '../model/loop-watch.ts'
import type { PathAnswer } from '../model/path.ts'
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
  /** Says and hears loop probes, until closed. Silent until the first is said. */
  probes(hear: (heard: HeardProbe) => void): ProbeWire
  /** The round trip to a VTEP in milliseconds; null when nothing came back in time. One small datagram each way. */
  question(vtep: IpAddress): Promise<number | null>
  /** By which address and device this machine would send to an address. Sends nothing. */
  path(address: IpAddress): Promise<PathAnswer>
  /** Whether the machine that has an address refuses a TCP connection to a port. Seconds at most; never throws. */
  refuses(address: IpAddress, port: Port): Promise<boolean>
}

export interface StepFailure {
  readonly step: Step
  readonly failure: Failure
}

export interface HeardProbe {
  readonly probe: LoopProbe
  readonly bridge: InterfaceName
  /** By which of the ports its segment's watch has; null when by none, as our own that never left. */
  readonly port: number | null
  /** The sender's own. */
  readonly place: LinkPlace
}

export interface ProbeWire extends Closeable {
  /** One small datagram to all who can be reached by the bridge but not by the segment in it. */
  say(bridge: InterfaceName, probe: LoopProbe): void
  /** Whether the kernel of a node that says nothing any more answers. One small datagram each way. */
  ask(place: LinkPlace): Promise<boolean>
}

/**
 * `ours`: something under our mark changed. `underlay`: another device's link or address did; `overlap`: by an address
 * or a route that the mesh has a network for.
 */
export type KernelEvent = 'ours' | 'underlay' | 'overlap'

export interface Closeable {
  close(): void
}

/** What the adapter needs to know and must never show. */
export interface TunnelSecrets {
  readonly privateKey: WireguardSecretKey
  presharedKey(publicKey: WireguardPublicKey): WireguardSecretKey
}
