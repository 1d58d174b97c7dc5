import {
  familyOf,
  type InterfaceAddress,
  type InterfaceName,
  type IpAddress,
  type MacAddress,
} from '../../src/model/address.ts'
import type { WireguardPeer } from '../../src/model/kernel-state.ts'
import { ageingSecondsDefault } from '../../src/model/limits.ts'
import { distrusting, freshlyMade, type Trusting } from '../../src/model/link-trust.ts'
import { segmentMtu } from '../../src/model/segment.ts'
import type { SegmentIdentity, Step, StepKind } from '../../src/model/step.ts'
import type { WireguardPublicKey } from '../../src/model/wireguard-key.ts'
import {
  type BridgeDraft,
  type KernelDraft,
  routeKey,
  type SegmentDraft,
  type TunnelDraft,
} from './kernel-draft.ts'

/** Null when it worked, else what the kernel would say. */
type Outcome = string | null
type StepOf<Kind extends StepKind> = Extract<Step, { readonly kind: Kind }>
type Effects = {
  readonly [Kind in StepKind]: (
    draft: KernelDraft,
    step: StepOf<Kind>,
    bridges: ReadonlySet<string>,
  ) => Outcome
}

/** What a step does to the kernel. Total: a new kind of step does not compile without its effect. */
export function applyStep<Kind extends StepKind>(
  draft: KernelDraft,
  step: StepOf<Kind>,
  bridges: ReadonlySet<string>,
): Outcome {
  return effects[step.kind as Kind](draft, step, bridges)
}

const effects: Effects = {
  'tunnel.create': createTunnel,
  'tunnel.remove': (draft, step) => removeTunnel(draft, step.interface),
  'tunnel.configure': (draft, step) =>
    onTunnel(draft, step.interface, tunnel => {
      tunnel.publicKey = step.publicKey
      tunnel.listenPort = step.listenPort
    }),
  'peer.set': (draft, step) => onTunnel(draft, step.interface, tunnel => setPeer(tunnel, step.peer)),
  'peer.renew': (draft, step) =>
    onTunnel(draft, step.interface, tunnel => {
      dropPeer(tunnel, step.peer.publicKey)
      setPeer(tunnel, step.peer)
    }),
  'peer.remove': (draft, step) => onTunnel(draft, step.interface, tunnel => dropPeer(tunnel, step.publicKey)),
  'segment.create': (draft, step) => createSegment(draft, step.segment),
  'segment.remove': (draft, step) => removeSegment(draft, step.interface),
  'segment.local': (draft, step) =>
    onSegment(draft, step.interface, segment => {
      segment.local = step.local
    }),
  'segment.ageing': (draft, step) =>
    onSegment(draft, step.interface, segment => {
      segment.ageingSeconds = step.seconds
    }),
  'segment.bridge': (draft, step, bridges) => {
    if (step.bridge !== null && !bridges.has(step.bridge) && !draft.bridges.has(step.bridge))
      return `Device does not exist: ${step.bridge}`
    return onSegment(draft, step.interface, segment => {
      segment.bridge = step.bridge
      leavePort(segment)
    })
  },
  'port.suppress': (draft, step) =>
    onPort(draft, step.interface, segment => {
      segment.suppression = true
    }),
  'port.mac.set': (draft, step) => onPort(draft, step.interface, segment => segment.portMacs.add(step.mac)),
  'port.mac.remove': (draft, step) => {
    draft.segments.get(step.interface)?.portMacs.delete(step.mac)
    return null
  },
  'bridge.create': (draft, { interface: device, mac }) => {
    const known = draft.bridges.get(device)
    if (known !== undefined && known.mac !== null) return null
    draft.bridges.set(device, {
      interface: device,
      mac,
      up: false,
      ...freshlyMade,
      addresses: known?.addresses ?? new Set(),
      neighbours: known?.neighbours ?? new Map(),
    })
    return null
  },
  'bridge.remove': (draft, step) => {
    draft.bridges.delete(step.interface)
    dropRoutes(draft, step.interface)
    for (const segment of draft.segments.values())
      if (segment.bridge === step.interface) {
        segment.bridge = null
        leavePort(segment)
      }
    return null
  },
  'bridge.address.add': (draft, step, bridges) =>
    onBridge(draft, step.interface, bridges, bridge => bridge.addresses.add(step.address)),
  'bridge.address.remove': (draft, step) => {
    draft.bridges.get(step.interface)?.addresses.delete(step.address)
    return null
  },
  'bridge.neighbour.set': (draft, { interface: device, entry: { address, mac } }, bridges) =>
    onBridge(draft, device, bridges, bridge => bridge.neighbours.set(address, mac)),
  'bridge.neighbours.remove': (draft, step) => {
    draft.bridges.get(step.interface)?.neighbours.clear()
    return null
  },
  'bridge.neighbour.remove': (draft, step) => {
    draft.bridges.get(step.interface)?.neighbours.delete(step.entry.address)
    return null
  },
  'link.mtu': (draft, step) =>
    onDevice(draft, step.interface, device => {
      if ('lower' in device && step.mtu > greatestMtu(draft, device)) return 'Invalid argument'
      device.mtu = step.mtu
      return null
    }),
  'link.mac': (draft, step) => {
    const bridge = draft.bridges.get(step.interface)
    if (bridge !== undefined) {
      if (bridge.mac !== step.mac) bridge.neighbours.clear()
      bridge.mac = step.mac
      return null
    }
    return onSegment(draft, step.interface, segment => {
      // The kernel forgets every neighbour of a device whose own MAC changes.
      if (segment.mac !== step.mac) segment.neighbours.clear()
      segment.mac = step.mac
    })
  },
  'link.up': (draft, step) => {
    const bridge = draft.bridges.get(step.interface)
    if (bridge !== undefined) {
      bridge.up = true
      return null
    }
    return onDevice(draft, step.interface, device => {
      device.up = true
      return null
    })
  },
  'link.ipv6': (draft, step) =>
    onDevice(draft, step.interface, device => {
      device.ipv6 = true
      return null
    }),
  'link.trust': (draft, step) =>
    onLink(draft, step.interface, link => {
      link.trusts = step.trust
      if (step.trust === 'routers') link.learned = false
    }),
  'learned.remove': (draft, step) => {
    onLink(draft, step.interface, link => {
      link.learned = false
    })
    return null
  },
  'address.add': (draft, step) =>
    onDevice(draft, step.interface, device => {
      if (familyOf(step.address) === 6 && !device.ipv6) return 'Permission denied'
      device.addresses.add(step.address)
      return null
    }),
  'address.remove': (draft, step) => {
    deviceOf(draft, step.interface)?.addresses.delete(step.address)
    return null
  },
  'route.add': (draft, { route }, bridges) => {
    const usable = route.device === null || bridges.has(route.device) ? null : isUp(draft, route.device)
    if (usable === null) draft.routes.set(routeKey(route), route)
    return usable
  },
  'route.remove': (draft, step) => {
    draft.routes.delete(routeKey(step.route))
    return null
  },
  'guard.set': (draft, step) => {
    draft.guards.set(step.interface, step.guard)
    return null
  },
  'guard.remove': (draft, step) => {
    draft.guards.delete(step.interface)
    return null
  },
  'limit.set': (draft, step) =>
    onSegment(draft, step.interface, () => {
      draft.limits.set(step.interface, step.framesPerSecond)
    }),
  'limit.remove': (draft, step) => {
    draft.limits.delete(step.interface)
    return null
  },
  'watch.set': (draft, { watch }) => {
    draft.watches.set(watch.interface, watch)
    return null
  },
  'watch.remove': (draft, { watch }) => {
    draft.watches.delete(watch.interface)
    return null
  },
  'gateway.set': (draft, step) => {
    draft.gateway = step.gateway
    return null
  },
  'gateway.remove': draft => {
    draft.gateway = null
    return null
  },
  'detour.set': (draft, { detour }) => {
    const isThere = draft.segments.has(detour.device) || draft.bridges.has(detour.device)
    if (!isThere) return `Cannot find device ${detour.device}`
    draft.detours.set(detour.prefix, detour)
    return null
  },
  'detour.remove': (draft, step) => {
    draft.detours.delete(step.detour.prefix)
    return null
  },
  'rule.add': (draft, { rule }) => {
    draft.rules.set(JSON.stringify(rule), rule)
    return null
  },
  'rule.remove': (draft, { rule }) => {
    draft.rules.delete(JSON.stringify(rule))
    return null
  },
  'unicast.set': (draft, { interface: device, lower, entry: { mac, vtep } }) =>
    toVtep(draft, device, lower, vtep, segment => segment.unicast.set(mac, vtep)),
  'unicast.remove': (draft, step) => {
    draft.segments.get(step.interface)?.unicast.delete(step.entry.mac)
    return null
  },
  'neighbour.set': (draft, { interface: device, entry: { address, mac } }) =>
    onSegment(draft, device, segment => segment.neighbours.set(address, mac)),
  'neighbour.remove': (draft, step) => {
    draft.segments.get(step.interface)?.neighbours.delete(step.entry.address)
    return null
  },
  'flood.add': (draft, { interface: device, lower, vtep }) =>
    toVtep(draft, device, lower, vtep, segment => segment.flood.add(vtep)),
  'flood.remove': (draft, step) => {
    draft.segments.get(step.interface)?.flood.delete(step.vtep)
    return null
  },
}

function onLink(
  draft: KernelDraft,
  device: InterfaceName,
  change: (link: { -readonly [Key in keyof Trusting]: Trusting[Key] }) => void,
): Outcome {
  const link = draft.bridges.get(device) ?? deviceOf(draft, device)
  if (link === undefined || link === null) return 'No such file or directory'
  change(link)
  return null
}

function createTunnel(draft: KernelDraft, step: StepOf<'tunnel.create'>): Outcome {
  const { interface: device, mtu } = step
  if (draft.tunnel?.interface === device) return null
  if (draft.tunnel !== null || draft.segments.has(device)) return 'File exists'
  draft.tunnel = {
    interface: device,
    mtu,
    up: false,
    ipv6: true,
    ...freshlyMade,
    publicKey: null,
    listenPort: null,
    addresses: new Set(),
    peers: new Map(),
    owners: new Map(),
  }
  return null
}

/** The segments on it go with it. */
function removeTunnel(draft: KernelDraft, device: InterfaceName): Outcome {
  if (draft.tunnel?.interface !== device) return null
  draft.tunnel = null
  dropRoutes(draft, device)
  for (const segment of [...draft.segments.values()])
    if (segment.lower === device) removeSegment(draft, segment.interface)
  return null
}

/** A new device takes the greatest MTU its tunnel allows when it was asked for a greater one. */
function createSegment(draft: KernelDraft, identity: SegmentIdentity): Outcome {
  const { interface: device, lower, local, mtu, vni, port } = identity
  if (draft.segments.has(device)) return null
  if (draft.tunnel?.interface !== lower) return `Cannot find device "${lower}"`
  for (const other of draft.segments.values())
    if (other.vni === vni && other.port === port)
      return 'A VXLAN device with the specified VNI already exists'
  draft.segments.set(device, {
    ...identity,
    mtu: Math.min(mtu, segmentMtu(draft.tunnel.mtu, local)),
    up: false,
    ipv6: true,
    ...freshlyMade,
    ageingSeconds: ageingSecondsDefault,
    privileged: true,
    bridge: null,
    suppression: false,
    portMacs: new Set(),
    addresses: new Set(),
    flood: new Set(),
    unicast: new Map(),
    neighbours: new Map(),
  })
  return null
}

function removeSegment(draft: KernelDraft, device: InterfaceName): Outcome {
  draft.segments.delete(device)
  dropRoutes(draft, device)
  return null
}

function dropRoutes(draft: KernelDraft, device: InterfaceName): void {
  for (const [key, route] of draft.routes) if (route.device === device) draft.routes.delete(key)
}

function setPeer(tunnel: TunnelDraft, peer: WireguardPeer): void {
  const known = tunnel.peers.get(peer.publicKey)
  for (const prefix of known?.allowedIps ?? []) tunnel.owners.delete(prefix)
  for (const prefix of peer.allowedIps) {
    const loser = tunnel.peers.get(tunnel.owners.get(prefix) as WireguardPublicKey)
    if (loser !== undefined)
      tunnel.peers.set(loser.publicKey, {
        ...loser,
        allowedIps: loser.allowedIps.filter(other => other !== prefix),
      })
    tunnel.owners.set(prefix, peer.publicKey)
  }
  tunnel.peers.set(peer.publicKey, { ...peer, endpoint: peer.endpoint ?? known?.endpoint ?? null })
}

function dropPeer(tunnel: TunnelDraft, publicKey: WireguardPublicKey): void {
  for (const prefix of tunnel.peers.get(publicKey)?.allowedIps ?? []) tunnel.owners.delete(prefix)
  tunnel.peers.delete(publicKey)
}

function onTunnel(draft: KernelDraft, device: InterfaceName, change: (tunnel: TunnelDraft) => void): Outcome {
  if (draft.tunnel?.interface !== device) return `Cannot find device "${device}"`
  change(draft.tunnel)
  return null
}

function onSegment(
  draft: KernelDraft,
  device: InterfaceName,
  change: (segment: SegmentDraft) => unknown,
): Outcome {
  const segment = draft.segments.get(device)
  if (segment === undefined) return `Cannot find device "${device}"`
  change(segment)
  return null
}

function onDevice(
  draft: KernelDraft,
  name: InterfaceName,
  change: (device: TunnelDraft | SegmentDraft) => Outcome,
): Outcome {
  const device = deviceOf(draft, name)
  return device === null ? `Cannot find device "${name}"` : change(device)
}

/** Flags and entries of a port go with its bridge. */
function leavePort(segment: SegmentDraft): void {
  segment.suppression = false
  segment.portMacs.clear()
}

function onPort(
  draft: KernelDraft,
  device: InterfaceName,
  change: (segment: SegmentDraft) => unknown,
): Outcome {
  if (draft.segments.get(device)?.bridge === null) return 'Operation not supported'
  return onSegment(draft, device, change)
}

/** Others' bridges are there without being told; something of lnet's comes onto one. */
function onBridge(
  draft: KernelDraft,
  device: InterfaceName,
  bridges: ReadonlySet<string>,
  change: (bridge: BridgeDraft) => unknown,
): Outcome {
  const known = draft.bridges.get(device)
  if (known === undefined && !bridges.has(device)) return `Cannot find device "${device}"`
  const bridge = known ?? {
    interface: device,
    mac: null,
    up: true,
    ...distrusting,
    addresses: new Set<InterfaceAddress>(),
    neighbours: new Map<IpAddress, MacAddress>(),
  }
  change(bridge)
  draft.bridges.set(device, bridge)
  return null
}

/** An entry that names a VTEP needs its lower device, and the family of the segment's own address. */
function toVtep(
  draft: KernelDraft,
  device: InterfaceName,
  lower: InterfaceName,
  vtep: IpAddress,
  change: (segment: SegmentDraft) => unknown,
): Outcome {
  if (deviceOf(draft, lower) === null) return `Cannot find device "${lower}"`
  const local = draft.segments.get(device)?.local
  if (local !== undefined && familyOf(local) !== familyOf(vtep))
    return 'Address family not supported by protocol'
  return onSegment(draft, device, change)
}

function isUp(draft: KernelDraft, name: InterfaceName): Outcome {
  const bridge = draft.bridges.get(name)
  if (bridge !== undefined) return bridge.up ? null : 'Network is down'
  return onDevice(draft, name, device => (device.up ? null : 'Network is down'))
}

function greatestMtu(draft: KernelDraft, segment: SegmentDraft): number {
  return draft.tunnel === null ? segment.mtu : segmentMtu(draft.tunnel.mtu, segment.local)
}

function deviceOf(draft: KernelDraft, name: InterfaceName): TunnelDraft | SegmentDraft | null {
  return draft.tunnel?.interface === name ? draft.tunnel : (draft.segments.get(name) ?? null)
}
