import { familyOf, type InterfaceName } from '../model/address.ts'
import type { Route, WireguardPeer } from '../model/kernel-state.ts'
import type { MeshId } from '../model/node.ts'
import type { SegmentIdentity, Step, StepKind } from '../model/step.ts'
import type { WireguardPublicKey, WireguardSecretKey } from '../model/wireguard-key.ts'
import { detourText, ruleText } from './detours.ts'
import { floodLimitRemoval, floodLimitScript } from './flood-limit.ts'
import { removeGateway, setGateway } from './gateway.ts'
import { guardRemoval, guardScript } from './guard.ts'
import { flushLearned, setLinkTrust } from './link-trust.ts'
import { loopWatchRemoval, loopWatchScript } from './loop-watch.ts'
import { addressMetric, markOf, routeMetric, routeProtocol } from './mark.ts'
import type { TunnelSecrets } from './port.ts'
import { disableIpv6Path } from './sysctl.ts'

/** One line of a tool's batch; what `tolerated` matches means that the line's effect was there already. */
interface Line<Tool extends 'ip' | 'bridge'> {
  readonly tool: Tool
  readonly line: string
  readonly tolerated: RegExp | null
}

/** One thing a tool is told, or one file that is written. */
export type Instruction =
  | Line<'ip'>
  | Line<'bridge'>
  | { readonly tool: 'nft'; readonly script: string }
  | { readonly tool: 'wg-device'; readonly interface: InterfaceName; readonly listenPort: number }
  | { readonly tool: 'wg-peer'; readonly interface: InterfaceName; readonly peer: WireguardPeer }
  | {
      readonly tool: 'wg-remove'
      readonly interface: InterfaceName
      readonly publicKey: WireguardPublicKey
      /** It comes back at once, so it need not wait for what stands before it. */
      readonly renewed: boolean
    }
  | { readonly tool: 'tunnel'; readonly interface: InterfaceName; readonly mtu: number }
  | { readonly tool: 'forwarding'; readonly interface: InterfaceName; readonly on: boolean }
  | { readonly tool: 'sysctl'; readonly path: string; readonly value: string }

type StepOf<Kind extends StepKind> = Extract<Step, { readonly kind: Kind }>
type Renderers = { readonly [Kind in StepKind]: (step: StepOf<Kind>, mesh: MeshId) => readonly Instruction[] }

/** What a step tells the tools, in order. Total: a new kind of step does not compile without its line. */
export function render<Kind extends StepKind>(step: StepOf<Kind>, mesh: MeshId): readonly Instruction[] {
  return renderers[step.kind as Kind](step, mesh)
}

/** One `[Peer]` section of `wg addconf`: everything explicit, because what is absent keeps its old value. */
export function peerSection(peer: WireguardPeer, secrets: TunnelSecrets): string {
  const { publicKey, presharedKey, endpoint, allowedIps, keepaliveSeconds } = peer
  const lines = [
    '[Peer]',
    `PublicKey = ${publicKey}`,
    `PresharedKey = ${presharedKey === null ? noPresharedKey : secrets.presharedKey(publicKey)}`,
    `PersistentKeepalive = ${keepaliveSeconds === 0 ? 'off' : keepaliveSeconds}`,
    // A section without AllowedIPs empties the list; an empty value is a syntax error.
    ...(allowedIps.length === 0 ? [] : [`AllowedIPs = ${allowedIps.join(', ')}`]),
    ...(endpoint === null ? [] : [`Endpoint = ${endpoint}`]),
  ]
  return `${lines.join('\n')}\n`
}

/** WireGuard's own way to say that there is none (wg(8)): 32 zero bytes. */
const noPresharedKey = `${'A'.repeat(43)}=` as WireguardSecretKey

const deviceGone = /Cannot find device/
const addressGone = /ddress not found|Cannot assign requested address|Cannot find device/
const routeGone = /No such process|Cannot find device/
/** The bridge forgot it, or the segment is no port any more. */
const portGone = /No such file or directory|Cannot find device|Operation not supported|Invalid argument/
const entryGone = /No such file or directory|Cannot find device/

const renderers: Renderers = {
  'tunnel.create': ({ interface: device, mtu }, mesh) => [
    { tool: 'tunnel', interface: device, mtu },
    // No router solicitations through the tunnel, before it comes up.
    ip(`link set dev ${device} alias ${markOf(mesh)} mtu ${mtu} addrgenmode none`),
    // A segment with an IPv6 VTEP cannot be made on a device where IPv6 is off.
    { tool: 'sysctl', path: disableIpv6Path(device), value: '0' },
  ],
  'tunnel.remove': step => [ip(`link delete dev ${step.interface}`, deviceGone)],
  'tunnel.configure': step => [{ tool: 'wg-device', interface: step.interface, listenPort: step.listenPort }],
  'peer.set': step => [{ tool: 'wg-peer', interface: step.interface, peer: step.peer }],
  'peer.renew': step => [
    { tool: 'wg-remove', interface: step.interface, publicKey: step.peer.publicKey, renewed: true },
    { tool: 'wg-peer', interface: step.interface, peer: step.peer },
  ],
  'peer.remove': step => [
    { tool: 'wg-remove', interface: step.interface, publicKey: step.publicKey, renewed: false },
  ],
  'segment.create': ({ segment }, mesh) => [
    ip(segmentLine(segment), /File exists/),
    ip(`link set dev ${segment.interface} alias ${markOf(mesh)}`),
  ],
  'segment.remove': step => [ip(`link delete dev ${step.interface}`, deviceGone)],
  'segment.local': step => [ip(`link set dev ${step.interface} type vxlan local ${step.local}`)],
  'segment.ageing': step => [ip(`link set dev ${step.interface} type vxlan ageing ${step.seconds}`)],
  'segment.bridge': ({ interface: device, bridge: master }) => [
    ip(`link set dev ${device} ${master === null ? 'nomaster' : `master ${master}`}`),
  ],
  'port.suppress': step => [bridge(`link set dev ${step.interface} neigh_suppress on`)],
  'port.mac.set': step => [bridge(`fdb replace ${step.mac} dev ${step.interface} master static`)],
  'port.mac.remove': step => [bridge(`fdb delete ${step.mac} dev ${step.interface} master`, portGone)],
  'bridge.create': ({ interface: device, mac }, mesh) => [
    ip(`link add ${device} address ${mac} type bridge`),
    ip(`link set dev ${device} alias ${markOf(mesh)}`),
  ],
  'bridge.remove': step => [ip(`link delete dev ${step.interface}`, deviceGone)],
  'bridge.address.add': step => [
    ip(
      `address replace ${step.address} dev ${step.interface} ${addressFlags(step.address)} metric ${addressMetric}`,
    ),
  ],
  'bridge.address.remove': step => [ip(`address delete ${step.address} dev ${step.interface}`, addressGone)],
  'bridge.neighbour.set': ({ interface: device, entry: { address, mac } }) => [
    ip(`neighbour replace ${address} lladdr ${mac} dev ${device} nud permanent protocol ${routeProtocol}`),
  ],
  'bridge.neighbours.remove': step => [
    ip(`neighbour flush dev ${step.interface} nud permanent protocol ${routeProtocol}`, deviceGone),
  ],
  'bridge.neighbour.remove': step => [
    ip(`neighbour delete ${step.entry.address} dev ${step.interface}`, entryGone),
  ],
  'link.mtu': step => [ip(`link set dev ${step.interface} mtu ${step.mtu}`)],
  'link.mac': step => [ip(`link set dev ${step.interface} address ${step.mac}`)],
  'link.up': step => [ip(`link set dev ${step.interface} up`)],
  'link.ipv6': step => [{ tool: 'sysctl', path: disableIpv6Path(step.interface), value: '0' }],
  'link.trust': step => setLinkTrust(step.interface, step.trust),
  'learned.remove': step => flushLearned(step.interface),
  'address.add': ({ address, interface: device }) => [
    ip(`address replace ${address} dev ${device} ${addressFlags(address)}`),
  ],
  'address.remove': step => [ip(`address delete ${step.address} dev ${step.interface}`, addressGone)],
  // Never `replace`: the kernel would take another's route of the same network away.
  'route.add': step => [ip(`route add ${routeText(step.route)}`, /File exists/)],
  'route.remove': step => [ip(`route delete ${routeText(step.route)}`, routeGone)],
  'guard.set': step => [{ tool: 'nft', script: guardScript(step.interface, step.guard) }],
  'guard.remove': step => [{ tool: 'nft', script: guardRemoval(step.interface) }],
  'limit.set': step => [{ tool: 'nft', script: floodLimitScript(step.interface, step.framesPerSecond) }],
  'limit.remove': step => [{ tool: 'nft', script: floodLimitRemoval(step.interface) }],
  'watch.set': step => [{ tool: 'nft', script: loopWatchScript(step.watch) }],
  'watch.remove': step => [{ tool: 'nft', script: loopWatchRemoval(step.watch.interface) }],
  'gateway.set': step => setGateway(step.gateway, step.returned),
  'gateway.remove': step => removeGateway(step.gateway),
  'detour.set': step => [ip(`route replace ${detourText(step.detour)}`)],
  'detour.remove': step => [ip(`route delete ${detourText(step.detour)}`, routeGone)],
  'rule.add': step => [ip(`rule add ${ruleText(step.rule)}`, /File exists/)],
  'rule.remove': step => [ip(`rule delete ${ruleText(step.rule)}`, entryGone)],
  // Without `via`: the kernel drops a frame whose sender's static entry names a device (vxlan_snoop compares that with
  // none), so the rightful VTEP would be taken for a forger. The guard keeps such frames inside the tunnel.
  'unicast.set': ({ interface: device, entry: { mac, vtep } }) => [
    bridge(`fdb replace ${mac} dst ${vtep} dev ${device} self static`),
  ],
  'unicast.remove': step => [bridge(`fdb delete ${step.entry.mac} dev ${step.interface} self`, entryGone)],
  'neighbour.set': ({ interface: device, entry: { address, mac } }) => [
    ip(`neighbour replace ${address} lladdr ${mac} dev ${device} nud permanent`),
  ],
  'neighbour.remove': step => [ip(`neighbour delete ${step.entry.address} dev ${step.interface}`, entryGone)],
  'flood.add': step => [bridge(`${floodLine('append', step)} via ${step.lower} self`)],
  // The kernel finds an entry by its `via` too, and a foreign one may have none; a missing one is no error.
  'flood.remove': step => [
    bridge(`${floodLine('delete', step)} via ${step.lower} self`, entryGone),
    bridge(`${floodLine('delete', step)} self`, entryGone),
  ],
}

function ip(line: string, tolerated: RegExp | null = null): Instruction {
  return { tool: 'ip', line, tolerated }
}

function bridge(line: string, tolerated: RegExp | null = null): Instruction {
  return { tool: 'bridge', line, tolerated }
}

/** ttl 64, because 1 forbids relaying; no UDP checksums over IPv6, because WireGuard authenticates; no user's port. */
function segmentLine(segment: SegmentIdentity): string {
  const { interface: device, mac, mtu, vni, port, local, lower } = segment
  const checksums = familyOf(local) === 6 ? ' udp6zerocsumtx udp6zerocsumrx' : ''
  return `link add ${device} address ${mac} mtu ${mtu} type vxlan id ${vni} dstport ${port} local ${local} ttl 64 srcport 1 1023 dev ${lower}${checksums}`
}

/** Routes are steps of their own; duplicate address detection would delay addresses that are certified anyway. */
function addressFlags(address: string): string {
  return address.includes(':') ? 'noprefixroute nodad' : 'noprefixroute'
}

/** The last resort has the greatest metric there is, so that every other route of the prefix goes before it. */
function routeText({ prefix, device, metric }: Route): string {
  return device === null
    ? `unreachable ${prefix} proto ${routeProtocol} metric ${2 ** 32 - 1}`
    : `${prefix} dev ${device} proto ${routeProtocol} metric ${metric ?? routeMetric}`
}

function floodLine(verb: 'append' | 'delete', step: { interface: InterfaceName; vtep: string }): string {
  return `fdb ${verb} 00:00:00:00:00:00 dst ${step.vtep} dev ${step.interface}`
}
