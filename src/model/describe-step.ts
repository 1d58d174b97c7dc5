import type { InterfaceName } from './address.ts'
import type { Detour, DetourRule, GatewayState } from './gateway.ts'
import type { Route, WireguardPeer } from './kernel-state.ts'
import type { Step, StepKind } from './step.ts'

/** The sentence the log and `lnetctl plan` share. Never a secret. */
export function describeStep<Kind extends StepKind>(step: StepOf<Kind>): string {
  return sentences[step.kind as Kind](step)
}

type StepOf<Kind extends StepKind> = Extract<Step, { readonly kind: Kind }>

/** Total: a new kind of step does not compile without its sentence. */
const sentences: { readonly [Kind in StepKind]: (step: StepOf<Kind>) => string } = {
  'tunnel.create': step => `create tunnel ${step.interface}, mtu ${step.mtu}`,
  'tunnel.remove': step => `remove tunnel ${step.interface}`,
  'tunnel.configure': step => `set key ${step.publicKey} and port ${step.listenPort} on ${step.interface}`,
  'peer.set': step => `set WireGuard peer ${describePeer(step.peer)} on ${step.interface}`,
  'peer.renew': step => `make WireGuard peer ${describePeer(step.peer)} on ${step.interface} anew`,
  'peer.remove': step => `remove WireGuard peer ${step.publicKey} from ${step.interface}`,
  'segment.create': step =>
    `create segment ${step.segment.interface}, vni ${step.segment.vni}, port ${step.segment.port}, mtu ${step.segment.mtu}, over ${step.segment.lower} from ${step.segment.local}`,
  'segment.remove': step => `remove segment ${step.interface}`,
  'segment.local': step => `send from VTEP ${step.local} on ${step.interface}`,
  'segment.ageing': step => `keep learned MACs for ${step.seconds} s on ${step.interface}`,
  'segment.bridge': step =>
    step.bridge === null
      ? `take ${step.interface} out of its bridge`
      : `put ${step.interface} into bridge ${step.bridge}`,
  'link.mtu': step => `set mtu ${step.mtu} on ${step.interface}`,
  'link.mac': step => `set MAC ${step.mac} on ${step.interface}`,
  'link.up': step => `bring ${step.interface} up`,
  'link.ipv6': step => `switch IPv6 on for ${step.interface}`,
  'link.trust': step =>
    step.trust === 'none'
      ? `ignore router advertisements and redirects on ${step.interface}`
      : `accept router advertisements on ${step.interface}`,
  'learned.remove': step => `remove addresses and routes of router advertisements from ${step.interface}`,
  'port.suppress': step => `answer ARP and ND for members in the bridge of ${step.interface}`,
  'port.mac.set': step => `look for MAC ${step.mac} behind ${step.interface}`,
  'port.mac.remove': step => `look for MAC ${step.mac} behind ${step.interface} no more`,
  'bridge.create': step => `create bridge ${step.interface}`,
  'bridge.neighbours.remove': step => `forget all neighbours of lnet on ${step.interface}`,
  'bridge.remove': step => `remove bridge ${step.interface}`,
  'bridge.address.add': step => `add address ${step.address} to ${step.interface}`,
  'address.add': step => `add address ${step.address} to ${step.interface}`,
  'bridge.address.remove': step => `remove address ${step.address} from ${step.interface}`,
  'address.remove': step => `remove address ${step.address} from ${step.interface}`,
  'route.add': step => `add ${describeRoute(step.route)}`,
  'route.remove': step => `remove ${describeRoute(step.route)}`,
  'guard.set': step =>
    `guard VXLAN port ${step.guard.port} for ${step.interface}: only by ${step.guard.tunnel}`,
  'guard.remove': step => `remove the guard of ${step.interface}`,
  'limit.set': step => `flood at most ${step.framesPerSecond} frames per second from ${step.interface}`,
  'limit.remove': step => `flood from ${step.interface} without a limit`,
  'watch.set': ({ watch }) => `watch ${watch.ports.join(', ')} for loops of ${watch.interface}`,
  'watch.remove': ({ watch }) => `watch for loops of ${watch.interface} no more`,
  'gateway.set': step => `be a gateway ${describeGateway(step.gateway)}${describeReturned(step.returned)}`,
  'gateway.remove': step =>
    `be no gateway by ${step.gateway.interface}${describeReturned(step.gateway.borrowed)}`,
  'detour.set': step => `reach ${describeDetour(step.detour)}`,
  'detour.remove': step => `reach ${describeDetour(step.detour)} no more`,
  'rule.add': step => `ask ${describeRule(step.rule)}`,
  'rule.remove': step => `ask ${describeRule(step.rule)} no more`,
  'unicast.set': step => `reach MAC ${step.entry.mac} by VTEP ${step.entry.vtep} on ${step.interface}`,
  'unicast.remove': step => `forget MAC ${step.entry.mac} on ${step.interface}`,
  'bridge.neighbour.set': step => `know ${step.entry.address} as MAC ${step.entry.mac} on ${step.interface}`,
  'neighbour.set': step => `know ${step.entry.address} as MAC ${step.entry.mac} on ${step.interface}`,
  'bridge.neighbour.remove': step => `forget neighbour ${step.entry.address} on ${step.interface}`,
  'neighbour.remove': step => `forget neighbour ${step.entry.address} on ${step.interface}`,
  'flood.add': step => `flood to VTEP ${step.vtep} on ${step.interface}`,
  'flood.remove': step => `stop flooding to VTEP ${step.vtep} on ${step.interface}`,
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

function describeGateway({ interface: device, nat, sources, borrowed }: GatewayState): string {
  const from = sources.map(source => `${source.network} on ${source.device}`).join(', ')
  const forwarding = borrowed.length === 0 ? '' : `, switch forwarding on for ${borrowed.join(', ')}`
  return `by ${device} for ${from}${nat ? ' with NAT' : ''}${forwarding}`
}

function describeReturned(devices: readonly InterfaceName[]): string {
  return devices.length === 0 ? '' : `, switch forwarding off for ${devices.join(', ')}`
}

function describeDetour({ prefix, via, device }: Detour): string {
  return `${prefix} via ${via} on ${device}`
}

function describeRule(rule: DetourRule): string {
  const { table, withoutDefault, from, protocol, sourcePort, destinationPort } = rule
  const conditions = [
    from === null ? '' : ` from ${from}`,
    protocol === null ? '' : ` of ${protocol}`,
    sourcePort === null ? '' : ` from port ${sourcePort}`,
    destinationPort === null ? '' : ` to port ${destinationPort}`,
  ].join('')
  const routes = withoutDefault ? 'routes of table main but the default' : `the ${table} table`
  return `${routes} for ${conditions === '' ? 'everything' : `what is${conditions}`}`
}
