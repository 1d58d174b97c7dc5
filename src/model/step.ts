import type { InterfaceAddress, InterfaceName, IpAddress, MacAddress, Port } from './address.ts'
import type {
  Guard,
  NeighbourEntry,
  Route,
  SegmentState,
  UnicastEntry,
  WireguardPeer,
} from './kernel-state.ts'
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
  | { readonly kind: 'link.mtu'; readonly interface: InterfaceName; readonly mtu: number }
  | { readonly kind: 'link.mac'; readonly interface: InterfaceName; readonly mac: MacAddress }
  | { readonly kind: 'link.up'; readonly interface: InterfaceName }
  | { readonly kind: 'link.ipv6'; readonly interface: InterfaceName }
  | { readonly kind: 'address.add'; readonly interface: InterfaceName; readonly address: InterfaceAddress }
  | { readonly kind: 'address.remove'; readonly interface: InterfaceName; readonly address: InterfaceAddress }
  | { readonly kind: 'route.add'; readonly route: Route }
  | { readonly kind: 'route.remove'; readonly route: Route }
  | { readonly kind: 'guard.set'; readonly interface: InterfaceName; readonly guard: Guard }
  | { readonly kind: 'guard.remove'; readonly interface: InterfaceName }
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

/** The sentence the log and `lnetctl plan` share. Never a secret. */
export function describeStep(step: Step): string {
  switch (step.kind) {
    case 'tunnel.create':
      return `create tunnel ${step.interface}, mtu ${step.mtu}`
    case 'tunnel.remove':
      return `remove tunnel ${step.interface}`
    case 'tunnel.configure':
      return `set key ${step.publicKey} and port ${step.listenPort} on ${step.interface}`
    case 'peer.set':
      return `set WireGuard peer ${describePeer(step.peer)} on ${step.interface}`
    case 'peer.renew':
      return `make WireGuard peer ${describePeer(step.peer)} on ${step.interface} anew`
    case 'peer.remove':
      return `remove WireGuard peer ${step.publicKey} from ${step.interface}`
    case 'segment.create':
      return `create segment ${step.segment.interface}, vni ${step.segment.vni}, port ${step.segment.port}, mtu ${step.segment.mtu}, over ${step.segment.lower} from ${step.segment.local}`
    case 'segment.remove':
      return `remove segment ${step.interface}`
    case 'segment.local':
      return `send from VTEP ${step.local} on ${step.interface}`
    case 'segment.ageing':
      return `keep learned MACs for ${step.seconds} s on ${step.interface}`
    case 'segment.bridge':
      return step.bridge === null
        ? `take ${step.interface} out of its bridge`
        : `put ${step.interface} into bridge ${step.bridge}`
    case 'link.mtu':
      return `set mtu ${step.mtu} on ${step.interface}`
    case 'link.mac':
      return `set MAC ${step.mac} on ${step.interface}`
    case 'link.up':
      return `bring ${step.interface} up`
    case 'link.ipv6':
      return `switch IPv6 on for ${step.interface}`
    case 'address.add':
      return `add address ${step.address} to ${step.interface}`
    case 'address.remove':
      return `remove address ${step.address} from ${step.interface}`
    case 'route.add':
      return `add ${describeRoute(step.route)}`
    case 'route.remove':
      return `remove ${describeRoute(step.route)}`
    case 'guard.set':
      return `guard VXLAN port ${step.guard.port} for ${step.interface}: only by ${step.guard.tunnel}`
    case 'guard.remove':
      return `remove the guard of ${step.interface}`
    case 'unicast.set':
      return `reach MAC ${step.entry.mac} by VTEP ${step.entry.vtep} on ${step.interface}`
    case 'unicast.remove':
      return `forget MAC ${step.entry.mac} on ${step.interface}`
    case 'neighbour.set':
      return `know ${step.entry.address} as MAC ${step.entry.mac} on ${step.interface}`
    case 'neighbour.remove':
      return `forget neighbour ${step.entry.address} on ${step.interface}`
    case 'flood.add':
      return `flood to VTEP ${step.vtep} on ${step.interface}`
    case 'flood.remove':
      return `stop flooding to VTEP ${step.vtep} on ${step.interface}`
  }
}

function describePeer(peer: WireguardPeer): string {
  const allowed = peer.allowedIps.length === 0 ? 'no addresses' : peer.allowedIps.join(',')
  return `${peer.publicKey} (${allowed}) at ${peer.endpoint ?? 'no endpoint'}`
}

function describeRoute(route: Route): string {
  return route.device === null
    ? `unreachable route ${route.prefix}`
    : `route ${route.prefix} by ${route.device}`
}
