import type { InterfaceAddress, InterfaceName, IpAddress, Port } from './address.ts'
import type { Result } from './failure.ts'
import type { BridgeFacts, UnicastEntry, WireguardPeer } from './kernel-state.ts'
import type { Vni } from './segment.ts'
import type { WireguardPublicKey, WireguardSecretKey } from './wireguard-key.ts'

/** A hand-written network as it runs: a WireGuard interface, and VXLAN on it. */
export interface RunningNetwork {
  readonly publicKey: WireguardPublicKey | null
  readonly privateKey: WireguardSecretKey | null
  readonly listenPort: Port | null
  readonly mtu: number
  readonly addresses: readonly InterfaceAddress[]
  readonly peers: readonly WireguardPeer[]
  readonly segments: readonly RunningSegment[]
  /** VXLAN devices on it that lnet cannot have, each with the reason. */
  readonly foreign: readonly string[]
}

export interface RunningSegment {
  readonly interface: InterfaceName
  readonly vni: Vni
  readonly port: Port
  readonly mtu: number
  readonly ageingSeconds: number
  readonly ttl: number | null
  /** Bound to the tunnel: only then it can be taken over. */
  readonly isBound: boolean
  readonly addresses: readonly InterfaceAddress[]
  /** Destinations of BUM traffic. */
  readonly flood: readonly IpAddress[]
  readonly unicast: readonly UnicastEntry[]
  readonly bridge: RunningBridge | null
}

/** The bridge a segment is a port of. */
export interface RunningBridge {
  /** As the kernel names it, which may be no name for lnet. */
  readonly name: string
  /** Null where lnet cannot use it. */
  readonly facts: BridgeFacts | null
  readonly addresses: readonly InterfaceAddress[]
}

/** Reads it; null where the interface is not there. `mentioned`: words of the hooks, by which devices are known. */
export type ObserveRunning = (
  tunnel: InterfaceName,
  mentioned: ReadonlySet<string>,
) => Promise<Result<RunningNetwork | null>>
