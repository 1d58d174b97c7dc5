import type {
  Endpoint,
  InterfaceAddress,
  InterfaceName,
  IpAddress,
  MacAddress,
  Port,
  Prefix,
} from './address.ts'
import type { ForeignNetwork } from './foreign-network.ts'
import type { Detour, DetourRule, GatewayState } from './gateway.ts'
import type { Guard } from './guard.ts'
import type { Trusting } from './link-trust.ts'
import type { LoopWatch } from './loop-watch.ts'
import type { Vni } from './segment.ts'
import type { KeyFingerprint, WireguardPublicKey } from './wireguard-key.ts'

/** What is, or should be, in the kernel under our mark. Lists are sorted, without duplicates: equal states are deeply equal. */
export interface KernelState {
  readonly tunnel: TunnelState | null
  readonly segments: readonly SegmentState[]
  /** Sorted by interface. Bridges that lnet made, and others as far as something of lnet is on them. */
  readonly bridges: readonly BridgeState[]
  /** Sorted by prefix. Only routes of our own protocol number. */
  readonly routes: readonly Route[]
  /** Segments that are gone and whose guards are still there, sorted. Desired are none. */
  readonly strayGuards: readonly InterfaceName[]
  readonly strayLimits: readonly InterfaceName[]
  /** Sorted by interface, one each, also of segments that are gone. */
  readonly loopWatches: readonly LoopWatch[]
  /** Null: this machine is none. */
  readonly gateway: GatewayState | null
  /** Sorted by prefix, one each. */
  readonly detours: readonly Detour[]
  /** Sorted by priority, then text. */
  readonly rules: readonly DetourRule[]
}

export interface TunnelState extends Trusting {
  readonly interface: InterfaceName
  readonly up: boolean
  readonly mtu: number
  /** False when the kernel's disable_ipv6 holds on this device. */
  readonly ipv6: boolean
  /** Null until the private key was set. */
  readonly publicKey: WireguardPublicKey | null
  readonly listenPort: Port | null
  readonly addresses: readonly InterfaceAddress[]
  /** Sorted by public key. */
  readonly peers: readonly WireguardPeer[]
}

export interface WireguardPeer {
  readonly publicKey: WireguardPublicKey
  readonly presharedKey: KeyFingerprint | null
  readonly endpoint: Endpoint | null
  readonly allowedIps: readonly Prefix[]
  readonly keepaliveSeconds: number
}

export interface SegmentState extends Trusting {
  readonly interface: InterfaceName
  readonly vni: Vni
  readonly port: Port
  readonly local: IpAddress
  /** The device the encapsulated frames leave by. */
  readonly lower: InterfaceName
  readonly mac: MacAddress
  readonly up: boolean
  readonly mtu: number
  readonly ipv6: boolean
  readonly ageingSeconds: number
  /** It sends from ports that only root may bind. Fixed when the device is made. */
  readonly privileged: boolean
  /** The bridge it is enslaved to. */
  readonly bridge: InterfaceName | null
  /** As a port of a bridge: ARP and ND for who is known behind it are answered by the bridge, not flooded. */
  readonly suppression: boolean
  /** As a port of a bridge: MACs the bridge looks for here. Sorted. */
  readonly portMacs: readonly MacAddress[]
  readonly addresses: readonly InterfaceAddress[]
  /** VTEPs every broadcast, unknown-unicast and multicast frame is copied to. */
  readonly flood: readonly IpAddress[]
  /** Sorted by MAC. */
  readonly unicast: readonly UnicastEntry[]
  /** Sorted by address. */
  readonly neighbours: readonly NeighbourEntry[]
  readonly guard: Guard | null
  /** Frames to everybody a second; null: not limited; 0: a limit that somebody altered. */
  readonly floodLimit: number | null
}

/** A bridge with a segment in it. What is not marked as lnet's on it is not told; somebody else's counts as distrusting. */
export interface BridgeState extends Trusting {
  readonly interface: InterfaceName
  /** Null: somebody else's, which has the one it has. */
  readonly mac: MacAddress | null
  /** Somebody else's is never brought up by us, and counts as up. */
  readonly up: boolean
  readonly addresses: readonly InterfaceAddress[]
  /** Sorted by address. */
  readonly neighbours: readonly NeighbourEntry[]
}

/** A static FDB entry: a frame with this source MAC from another VTEP is dropped. */
export interface UnicastEntry {
  readonly mac: MacAddress
  readonly vtep: IpAddress
}

/** A permanent ARP or ND entry. */
export interface NeighbourEntry {
  readonly address: IpAddress
  readonly mac: MacAddress
}

/** With a metric: not lnet's own, but that of a former version. */
export interface Route {
  readonly prefix: Prefix
  /** Null: unreachable, the last resort under the real route, so that nothing leaves by a default route. */
  readonly device: InterfaceName | null
  readonly metric?: number
}

/** What WireGuard measures of one peer; never compared. */
export interface WireguardReading {
  readonly publicKey: WireguardPublicKey
  readonly endpoint: Endpoint | null
  /** Unix seconds of this machine's clock; null when there was none. */
  readonly handshakeAt: number | null
  readonly receivedBytes: number
  readonly sentBytes: number
}

/** What a segment's flood limit dropped since it was set; never compared. */
export interface FloodReading {
  readonly interface: InterfaceName
  readonly droppedFrames: number
}

/** A device that bears a name we want and not our mark. */
export interface ForeignDevice {
  readonly interface: InterfaceName
  /** In words: "a wireguard device", "a bridge marked lnet:0123...". */
  readonly what: string
}

/** What has to be known of a bridge before a segment is put into it. */
export interface BridgeFacts {
  readonly interface: InterfaceName
  /** Made by lnet. */
  readonly own: boolean
  readonly up: boolean
  readonly stp: boolean
  /** Ports through which a cable can lead back into the segment. Sorted. */
  readonly physicalPorts: readonly string[]
  /** Devices on top of it, as VLANs are. Sorted. */
  readonly stacked: readonly string[]
}

export type TunnelImplementation = 'kernel' | 'userspace'

/** One look at the kernel. */
export interface Observation {
  readonly state: KernelState
  readonly readings: readonly WireguardReading[]
  readonly floods: readonly FloodReading[]
  /** This kernel can limit what floods. */
  readonly limitsFloods: boolean
  /** This kernel can watch for loops; not told where no segment is in a bridge. */
  readonly watchesLoops: boolean
  /** The first port that every user of this machine may bind. */
  readonly unprivilegedPortStart: number
  readonly implementation: TunnelImplementation | null
  readonly foreign: readonly ForeignDevice[]
  readonly networks: readonly ForeignNetwork[]
  /** Every bridge of this machine, sorted by interface. */
  readonly bridges: readonly BridgeFacts[]
  /** Of the devices that a gateway needs, those that forward IPv4. */
  readonly forwarding: readonly InterfaceName[]
}

export const emptyKernelState: KernelState = {
  tunnel: null,
  segments: [],
  bridges: [],
  routes: [],
  strayGuards: [],
  strayLimits: [],
  loopWatches: [],
  gateway: null,
  detours: [],
  rules: [],
}
