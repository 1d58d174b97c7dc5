import type { InterfaceAddress, InterfaceName, IpAddress, MacAddress, Port } from './address.ts'
import type { Detour, DetourRule, GatewayState } from './gateway.ts'
import type { Guard } from './guard.ts'
import type { NeighbourEntry, Route, SegmentState, UnicastEntry, WireguardPeer } from './kernel-state.ts'
import type { LinkTrust } from './link-trust.ts'
import type { LoopWatch } from './loop-watch.ts'
import type { WireguardPublicKey } from './wireguard-key.ts'

/** One change to the kernel. Applying a step whose effect is already there is no error. */
export type Step =
  | { readonly kind: 'tunnel.create'; readonly interface: InterfaceName; readonly mtu: number }
  | { readonly kind: 'tunnel.remove'; readonly interface: InterfaceName }
  | {
      readonly kind: 'tunnel.configure'
      readonly interface: InterfaceName
      readonly publicKey: WireguardPublicKey
      readonly listenPort: Port
    }
  | { readonly kind: 'peer.set'; readonly interface: InterfaceName; readonly peer: WireguardPeer }
  | { readonly kind: 'peer.renew'; readonly interface: InterfaceName; readonly peer: WireguardPeer }
  | {
      readonly kind: 'peer.remove'
      readonly interface: InterfaceName
      readonly publicKey: WireguardPublicKey
    }
  | { readonly kind: 'segment.create'; readonly segment: SegmentIdentity }
  | { readonly kind: 'segment.remove'; readonly interface: InterfaceName }
  | { readonly kind: 'segment.ageing'; readonly interface: InterfaceName; readonly seconds: number }
  | { readonly kind: 'segment.local'; readonly interface: InterfaceName; readonly local: IpAddress }
  | {
      readonly kind: 'segment.bridge'
      readonly interface: InterfaceName
      readonly bridge: InterfaceName | null
    }
  | { readonly kind: 'port.suppress'; readonly interface: InterfaceName }
  | { readonly kind: 'port.mac.set'; readonly interface: InterfaceName; readonly mac: MacAddress }
  | { readonly kind: 'port.mac.remove'; readonly interface: InterfaceName; readonly mac: MacAddress }
  | { readonly kind: 'bridge.create'; readonly interface: InterfaceName; readonly mac: MacAddress }
  | { readonly kind: 'bridge.remove'; readonly interface: InterfaceName }
  | {
      readonly kind: 'bridge.address.add'
      readonly interface: InterfaceName
      readonly address: InterfaceAddress
    }
  | {
      readonly kind: 'bridge.address.remove'
      readonly interface: InterfaceName
      readonly address: InterfaceAddress
    }
  | {
      readonly kind: 'bridge.neighbour.set'
      readonly interface: InterfaceName
      readonly entry: NeighbourEntry
    }
  | {
      readonly kind: 'bridge.neighbour.remove'
      readonly interface: InterfaceName
      readonly entry: NeighbourEntry
    }
  | { readonly kind: 'bridge.neighbours.remove'; readonly interface: InterfaceName }
  | { readonly kind: 'link.mtu'; readonly interface: InterfaceName; readonly mtu: number }
  | { readonly kind: 'link.mac'; readonly interface: InterfaceName; readonly mac: MacAddress }
  | { readonly kind: 'link.up'; readonly interface: InterfaceName }
  | { readonly kind: 'link.ipv6'; readonly interface: InterfaceName }
  | {
      readonly kind: 'link.trust'
      readonly interface: InterfaceName
      readonly trust: Exclude<LinkTrust, 'open'>
    }
  | { readonly kind: 'learned.remove'; readonly interface: InterfaceName }
  | { readonly kind: 'address.add'; readonly interface: InterfaceName; readonly address: InterfaceAddress }
  | { readonly kind: 'address.remove'; readonly interface: InterfaceName; readonly address: InterfaceAddress }
  | { readonly kind: 'route.add'; readonly route: Route }
  | { readonly kind: 'route.remove'; readonly route: Route }
  | { readonly kind: 'guard.set'; readonly interface: InterfaceName; readonly guard: Guard }
  | { readonly kind: 'guard.remove'; readonly interface: InterfaceName }
  | {
      readonly kind: 'limit.set'
      readonly interface: InterfaceName
      readonly framesPerSecond: number
    }
  | { readonly kind: 'limit.remove'; readonly interface: InterfaceName }
  | { readonly kind: 'watch.set'; readonly watch: LoopWatch }
  | { readonly kind: 'watch.remove'; readonly watch: LoopWatch }
  | {
      readonly kind: 'gateway.set'
      readonly gateway: GatewayState
      /** Devices that are needed no more, and forwarded nothing before. */
      readonly returned: readonly InterfaceName[]
    }
  | { readonly kind: 'gateway.remove'; readonly gateway: GatewayState }
  | { readonly kind: 'detour.set'; readonly detour: Detour }
  | { readonly kind: 'detour.remove'; readonly detour: Detour }
  | { readonly kind: 'rule.add'; readonly rule: DetourRule }
  | { readonly kind: 'rule.remove'; readonly rule: DetourRule }
  | {
      readonly kind: 'unicast.set'
      readonly interface: InterfaceName
      readonly lower: InterfaceName
      readonly entry: UnicastEntry
    }
  | { readonly kind: 'unicast.remove'; readonly interface: InterfaceName; readonly entry: UnicastEntry }
  | { readonly kind: 'neighbour.set'; readonly interface: InterfaceName; readonly entry: NeighbourEntry }
  | { readonly kind: 'neighbour.remove'; readonly interface: InterfaceName; readonly entry: NeighbourEntry }
  | {
      readonly kind: 'flood.add'
      readonly interface: InterfaceName
      readonly lower: InterfaceName
      readonly vtep: IpAddress
    }
  | {
      readonly kind: 'flood.remove'
      readonly interface: InterfaceName
      readonly lower: InterfaceName
      readonly vtep: IpAddress
    }

export type StepKind = Step['kind']

/** What a segment device is made with and cannot change later; another value means another device. */
export type SegmentIdentity = Pick<
  SegmentState,
  'interface' | 'vni' | 'port' | 'local' | 'lower' | 'mac' | 'mtu'
>

/** Steps in the order they are applied. */
export type Plan = readonly Step[]
