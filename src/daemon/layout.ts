import type { PeersView, StatusView } from '../control/protocol.ts'
import { deriveMeshKeys } from '../host/secret.ts'
import { segmentPrefixes } from '../mesh/claims.ts'
import { familyOf, type InterfaceName, type Port, prefixOf } from '../model/address.ts'
import type { Configuration, SegmentConfiguration } from '../model/configuration.ts'
import type { OverlayNetwork, PortState, StartNeeds, Ways } from '../model/examination.ts'
import type { MeshId } from '../model/node.ts'

/** The devices, ports and networks of the mesh on this machine, as far as they are known. */
export interface Layout {
  readonly tunnel: StartNeeds['tunnel']
  readonly needs: StartNeeds
  readonly overlays: readonly OverlayNetwork[]
  readonly ports: readonly Omit<PortState, 'listening'>[]
  readonly ways: Ways
}

/** Whether it is, or may be, what this daemon runs with: the same devices. */
export function isOf({ tunnel, segments }: Configuration, status: StatusView): boolean {
  const isSame = status.tunnel === null || status.tunnel.interface === tunnel.interface
  return (
    isSame &&
    status.segments.every(own =>
      segments.some(({ interface: device, vni }) => device === own.interface && vni === own.vni),
    )
  )
}

/** The mesh that automatic prefixes are derived from; null where nobody tells. */
export function meshOf(
  { mesh }: Configuration,
  peers: PeersView | null,
  secret: Uint8Array | null,
): MeshId | null {
  return peers?.mesh ?? mesh.id ?? (secret === null ? null : deriveMeshKeys(secret, null).meshId)
}

export function layoutOf(configuration: Configuration, mesh: MeshId | null): Layout {
  const { tunnel, segments, gossip, gateway } = configuration
  const leaving = segments.filter(({ interface: device }) => gateway?.segments.includes(device) === true)
  return {
    tunnel,
    needs: { tunnel, gossipPort: gossip.port, segments },
    overlays: segments.flatMap(segment =>
      (mesh === null ? segment.prefixes : segmentPrefixes(segment, mesh)).map(prefix => ({
        prefix,
        interface: segment.interface,
        device: deviceOf(segment),
      })),
    ),
    ports: [
      { protocol: 'udp', port: tunnel.port },
      { protocol: 'tcp', port: gossip.port },
    ],
    ways: {
      tunnel: tunnel.interface,
      tunnelFamily: tunnel.prefix === null ? 6 : familyOf(tunnel.prefix),
      vxlanPorts: [...new Set(segments.map(({ port }) => port))],
      devices: [...new Set(segments.map(deviceOf))],
      bridges: [...new Set(segments.flatMap(({ bridge }) => bridge?.name ?? []))],
      gateway: gateway === null ? null : { interface: gateway.interface, devices: leaving.map(deviceOf) },
    },
  }
}

/** What a running daemon tells. Its gossip port and whether it is a gateway are not in it. */
export function layoutOfStatus({ tunnel, segments }: StatusView): Layout {
  const [address] = tunnel?.addresses ?? []
  const own: StartNeeds['tunnel'] = {
    ...fallbackLayout.tunnel,
    interface: (tunnel?.interface ?? fallbackLayout.tunnel.interface) as InterfaceName,
    port: (tunnel?.port ?? fallbackLayout.tunnel.port) as Port,
    prefix: address === undefined ? null : prefixOf(address),
  }
  return {
    tunnel: own,
    needs: { tunnel: own, gossipPort: null, segments: [] },
    overlays: segments.flatMap(({ interface: device, bridge, addresses }) =>
      [...new Set(addresses.map(prefixOf))].map(prefix => ({
        prefix,
        interface: device,
        device: bridge ?? device,
      })),
    ),
    ports: tunnel?.port == null ? [] : [{ protocol: 'udp', port: tunnel.port }],
    ways: {
      tunnel: own.interface,
      tunnelFamily: own.prefix === null ? 6 : familyOf(own.prefix),
      vxlanPorts: [...new Set(segments.map(({ port }) => port))],
      devices: segments.map(({ interface: device, bridge }) => bridge ?? device),
      bridges: segments.flatMap(({ bridge }) => bridge ?? []),
      gateway: null,
    },
  }
}

function deviceOf({ interface: device, bridge }: SegmentConfiguration): InterfaceName {
  return bridge?.name ?? device
}

const fallbackTunnel: StartNeeds['tunnel'] = {
  interface: 'lnet0' as InterfaceName,
  port: 51_820 as Port,
  implementation: null,
  prefix: null,
}

/** Of a machine without a configuration and without lnetd: the defaults. */
export const fallbackLayout: Layout = {
  tunnel: fallbackTunnel,
  needs: { tunnel: fallbackTunnel, gossipPort: null, segments: [] },
  overlays: [],
  ports: [{ protocol: 'udp', port: fallbackTunnel.port }],
  ways: {
    tunnel: fallbackTunnel.interface,
    tunnelFamily: 6,
    vxlanPorts: [],
    devices: [],
    bridges: [],
    gateway: null,
  },
}
