import type {
  Endpoint,
  HostPort,
  InterfaceAddress,
  InterfaceName,
  IpAddress,
  MacAddress,
  Port,
  Prefix,
} from './address.ts'
import type { TunnelImplementation } from './kernel-state.ts'
import type { MemberReference } from './member-reference.ts'
import type { MeshId, NodeName } from './node.ts'
import type { Vni } from './segment.ts'
import type { WireguardPublicKey } from './wireguard-key.ts'

/** What the operator asks for, validated and with every default filled in. */
export interface Configuration {
  readonly name: NodeName
  readonly mesh: MeshConfiguration
  /** In the operator's order. */
  readonly bootstrap: readonly BootstrapPlace[]
  readonly discovery: { readonly mdns: boolean }
  readonly gossip: { readonly port: Port; readonly heartbeatSeconds: number }
  readonly tunnel: TunnelConfiguration
  /** Sorted by interface. */
  readonly segments: readonly SegmentConfiguration[]
  /** Machines without lnetd that this node declares to the mesh. In the operator's order. */
  readonly staticMembers: readonly StaticMember[]
  /** Null: this machine is none. */
  readonly gateway: GatewayConfiguration | null
  /** The gateway everything else leaves by: one that is named, or whichever answers fastest; null: none. */
  readonly defaultVia: MemberReference | 'auto' | null
  readonly acceptRoutes: RouteAcceptance
  /** How long a member may be unheard before it is forgotten, seconds. */
  readonly forgetAfterSeconds: number
  readonly stateDir: string
  readonly socket: string
  /** The loopback address Prometheus asks; null: metrics are not served. */
  readonly metrics: Endpoint | null
  /** Whether the names of members are kept for this machine to look up. */
  readonly names: boolean
  readonly log: { readonly level: LogLevel }
}

/** Which routes that gateways offer are taken: those within private networks, or within these, or of these members. */
export type RouteAcceptance =
  | 'none'
  | 'private'
  | { readonly networks: readonly Prefix[]; readonly members: readonly MemberReference[] }

/** Where the secret is, never the secret itself, so that a configuration can be logged. */
export interface MeshConfiguration {
  readonly secret: { readonly kind: 'file'; readonly path: string } | { readonly kind: 'inline' }
  /** Null: derived from the secret. */
  readonly id: MeshId | null
}

/** A member to ask first: a host with a port, or a libp2p multiaddr as written. */
export type BootstrapPlace =
  | { readonly kind: 'host'; readonly place: HostPort }
  | { readonly kind: 'multiaddr'; readonly multiaddr: string }

export interface TunnelConfiguration {
  readonly interface: InterfaceName
  readonly port: Port
  readonly endpoints: readonly HostPort[]
  /** Null: the self-certifying ULA of the mesh. */
  readonly prefix: Prefix | null
  /** Null: derived, or claimed from the prefix. */
  readonly address: IpAddress | null
  /** 0: off. */
  readonly keepaliveSeconds: number
  /** Whether a WireGuard device with our key, and VXLAN devices on it, are made ours where they run without our mark. */
  readonly takeOver: boolean
  /** Null: the kernel's where it has one, else user space. */
  readonly implementation: TunnelImplementation | null
}

export interface SegmentConfiguration {
  readonly interface: InterfaceName
  readonly vni: Vni
  readonly port: Port
  /** At most this, bytes; null: what the tunnel has room for. */
  readonly mtu: number | null
  /** How long a learned MAC is kept. */
  readonly ageingSeconds: number
  /** Whether router advertisements on it configure this machine. */
  readonly routerAdvertisements: boolean
  /** Frames to everybody a second, at most; null: as many as there are. */
  readonly floodLimit: number | null
  /** Sorted. */
  readonly prefixes: readonly Prefix[]
  /** Whether the derived /64 is one more, where none of them is IPv6. */
  readonly deriveIpv6: boolean
  /** Prefixes with none of these get an automatic one; null: all do. An empty list: no address at all. */
  readonly addresses: readonly InterfaceAddress[] | null
  /** The bridge it is a port of. */
  readonly bridge: BridgeConfiguration | null
}

export interface GatewayConfiguration {
  readonly interface: InterfaceName
  /** Interfaces of the segments whose packets are taken, sorted. */
  readonly segments: readonly InterfaceName[]
  readonly nat: boolean
  /** Offered as a way to everywhere. */
  readonly everywhere: boolean
  /** IPv4 networks behind it that are offered, sorted. */
  readonly routes: readonly Prefix[]
}

export interface BridgeConfiguration {
  readonly name: InterfaceName
  /** Made, and taken away, by lnet where there is none. */
  readonly create: boolean
  /** Also where a physical port and no STP may make a loop. */
  readonly allowLoopRisk: boolean
}

/** A machine that takes part by WireGuard and, where it has segments, VXLAN, but does not run lnetd. */
export interface StaticMember {
  readonly name: NodeName
  readonly publicKey: WireguardPublicKey
  /** Null: it reaches the others. */
  readonly endpoint: HostPort | null
  /** Null: derived, where the network of the VTEPs is. */
  readonly vtep: IpAddress | null
  /** The MTU of its tunnel, bytes. */
  readonly mtu: number
  /** Sorted by VNI. */
  readonly segments: readonly StaticSegment[]
}

export interface StaticSegment {
  readonly vni: Vni
  /** Null: not known; then questions for it flood. */
  readonly mac: MacAddress | null
  /** Sorted. */
  readonly addresses: readonly InterfaceAddress[]
}

/** Where packages keep what a node has to remember, and where its lnetd answers. */
export const defaultStateDir = '/var/lib/lnetd'
export const defaultSocket = '/run/lnetd/lnetd.sock'

export const logLevels = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof logLevels)[number]
