import { describe, expect, it } from 'vitest'
import type {
  InterfaceAddress,
  InterfaceName,
  IpAddress,
  MacAddress,
  Port,
  Prefix,
} from '../../src/model/address.ts'
import { describeStep } from '../../src/model/describe-step.ts'
import type { DetourRule, GatewayState } from '../../src/model/gateway.ts'
import type { WireguardPeer } from '../../src/model/kernel-state.ts'
import type { Step, StepKind } from '../../src/model/step.ts'
import { endpointOf, overlayAddress, presharedKey, publicKey, underlayAddress, vni } from '../mesh/world.ts'

const tunnel = 'lnet0' as InterfaceName
const segment = 'vlnet0' as InterfaceName
const vtep = underlayAddress(2)
const mac = '02:00:5e:00:53:01' as MacAddress
const prefix = '192.168.228.0/24' as Prefix
const peer: WireguardPeer = {
  publicKey: publicKey(2),
  presharedKey: presharedKey(publicKey(2)),
  endpoint: endpointOf(2),
  allowedIps: ['192.168.228.2/32' as Prefix],
  keepaliveSeconds: 25,
}

const gateway: GatewayState = {
  interface: 'eth0' as InterfaceName,
  nat: true,
  sources: [{ device: segment, network: '192.168.102.0/24' as Prefix }],
  borrowed: ['eth0' as InterfaceName],
  forwards: true,
}
const detour = {
  prefix: '0.0.0.0/0' as Prefix,
  via: '192.168.102.2' as IpAddress,
  device: segment,
}
const rule: DetourRule = {
  priority: 20_101,
  table: 'main',
  withoutDefault: false,
  from: null,
  protocol: 'udp',
  sourcePort: 51_820 as Port,
  destinationPort: null,
}

/** One of each kind: a new one does not compile without its example here. */
const examples: { readonly [Kind in StepKind]: Extract<Step, { readonly kind: Kind }> } = {
  'tunnel.create': { kind: 'tunnel.create', interface: tunnel, mtu: 1420 },
  'tunnel.remove': { kind: 'tunnel.remove', interface: tunnel },
  'tunnel.configure': {
    kind: 'tunnel.configure',
    interface: tunnel,
    publicKey: publicKey(1),
    listenPort: 51_820 as Port,
  },
  'peer.set': { kind: 'peer.set', interface: tunnel, peer },
  'peer.renew': { kind: 'peer.renew', interface: tunnel, peer: { ...peer, endpoint: null, allowedIps: [] } },
  'peer.remove': { kind: 'peer.remove', interface: tunnel, publicKey: publicKey(2) },
  'segment.create': {
    kind: 'segment.create',
    segment: { interface: segment, vni, port: 4789 as Port, local: vtep, lower: tunnel, mac, mtu: 1350 },
  },
  'segment.remove': { kind: 'segment.remove', interface: segment },
  'port.suppress': { kind: 'port.suppress', interface: segment },
  'port.mac.set': { kind: 'port.mac.set', interface: segment, mac },
  'port.mac.remove': { kind: 'port.mac.remove', interface: segment, mac },
  'bridge.create': { kind: 'bridge.create', interface: 'br0' as InterfaceName, mac },
  'bridge.neighbours.remove': { kind: 'bridge.neighbours.remove', interface: 'br0' as InterfaceName },
  'bridge.remove': { kind: 'bridge.remove', interface: 'br0' as InterfaceName },
  'bridge.address.add': {
    kind: 'bridge.address.add',
    interface: 'br0' as InterfaceName,
    address: '192.168.102.1/24' as InterfaceAddress,
  },
  'bridge.address.remove': {
    kind: 'bridge.address.remove',
    interface: 'br0' as InterfaceName,
    address: '192.168.102.1/24' as InterfaceAddress,
  },
  'bridge.neighbour.set': {
    kind: 'bridge.neighbour.set',
    interface: 'br0' as InterfaceName,
    entry: { address: '192.168.102.2' as IpAddress, mac },
  },
  'bridge.neighbour.remove': {
    kind: 'bridge.neighbour.remove',
    interface: 'br0' as InterfaceName,
    entry: { address: '192.168.102.2' as IpAddress, mac },
  },
  'segment.ageing': { kind: 'segment.ageing', interface: segment, seconds: 60 },
  'segment.local': { kind: 'segment.local', interface: segment, local: vtep },
  'segment.bridge': { kind: 'segment.bridge', interface: segment, bridge: 'br0' as InterfaceName },
  'link.mtu': { kind: 'link.mtu', interface: tunnel, mtu: 1420 },
  'link.mac': { kind: 'link.mac', interface: segment, mac },
  'link.up': { kind: 'link.up', interface: tunnel },
  'link.trust': { kind: 'link.trust', interface: tunnel, trust: 'none' },
  'learned.remove': { kind: 'learned.remove', interface: tunnel },
  'link.ipv6': { kind: 'link.ipv6', interface: tunnel },
  'address.add': { kind: 'address.add', interface: segment, address: overlayAddress(1) },
  'address.remove': { kind: 'address.remove', interface: segment, address: overlayAddress(1) },
  'route.add': { kind: 'route.add', route: { prefix, device: tunnel } },
  'route.remove': { kind: 'route.remove', route: { prefix, device: null } },
  'guard.set': {
    kind: 'guard.set',
    interface: segment,
    guard: { port: 4789 as Port, tunnel, vteps: prefix, privileged: true, exempt: [] },
  },
  'guard.remove': { kind: 'guard.remove', interface: segment },
  'limit.set': { kind: 'limit.set', interface: segment, framesPerSecond: 10_000 },
  'watch.set': { kind: 'watch.set', watch: { interface: segment, ports: ['eth1' as InterfaceName] } },
  'watch.remove': { kind: 'watch.remove', watch: { interface: segment, ports: [] } },
  'limit.remove': { kind: 'limit.remove', interface: segment },
  'gateway.set': { kind: 'gateway.set', gateway, returned: ['eth1' as InterfaceName] },
  'gateway.remove': { kind: 'gateway.remove', gateway },
  'detour.set': { kind: 'detour.set', detour },
  'detour.remove': { kind: 'detour.remove', detour },
  'rule.add': { kind: 'rule.add', rule },
  'rule.remove': { kind: 'rule.remove', rule },
  'unicast.set': { kind: 'unicast.set', interface: segment, lower: tunnel, entry: { mac, vtep } },
  'unicast.remove': { kind: 'unicast.remove', interface: segment, entry: { mac, vtep } },
  'neighbour.set': { kind: 'neighbour.set', interface: segment, entry: { address: vtep, mac } },
  'neighbour.remove': { kind: 'neighbour.remove', interface: segment, entry: { address: vtep, mac } },
  'flood.add': { kind: 'flood.add', interface: segment, lower: tunnel, vtep },
  'flood.remove': { kind: 'flood.remove', interface: segment, lower: tunnel, vtep },
}

describe('steps', () => {
  it('read as sentences', () => {
    expect(Object.values(examples).map(describeStep)).toMatchInlineSnapshot(`
      [
        "create tunnel lnet0, mtu 1420",
        "remove tunnel lnet0",
        "set key AAAAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= and port 51820 on lnet0",
        "set WireGuard peer AAAAAgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= (192.168.228.2/32) at 203.0.0.2:51820 on lnet0",
        "make WireGuard peer AAAAAgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= (no addresses) at no endpoint on lnet0 anew",
        "remove WireGuard peer AAAAAgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= from lnet0",
        "create segment vlnet0, vni 49371, port 4789, mtu 1350, over lnet0 from 203.0.0.2",
        "remove segment vlnet0",
        "answer ARP and ND for members in the bridge of vlnet0",
        "look for MAC 02:00:5e:00:53:01 behind vlnet0",
        "look for MAC 02:00:5e:00:53:01 behind vlnet0 no more",
        "create bridge br0",
        "forget all neighbours of lnet on br0",
        "remove bridge br0",
        "add address 192.168.102.1/24 to br0",
        "remove address 192.168.102.1/24 from br0",
        "know 192.168.102.2 as MAC 02:00:5e:00:53:01 on br0",
        "forget neighbour 192.168.102.2 on br0",
        "keep learned MACs for 60 s on vlnet0",
        "send from VTEP 203.0.0.2 on vlnet0",
        "put vlnet0 into bridge br0",
        "set mtu 1420 on lnet0",
        "set MAC 02:00:5e:00:53:01 on vlnet0",
        "bring lnet0 up",
        "ignore router advertisements and redirects on lnet0",
        "remove addresses and routes of router advertisements from lnet0",
        "switch IPv6 on for lnet0",
        "add address 192.168.102.1/24 to vlnet0",
        "remove address 192.168.102.1/24 from vlnet0",
        "add route 192.168.228.0/24 by lnet0",
        "remove unreachable route 192.168.228.0/24",
        "guard VXLAN port 4789 for vlnet0: only by lnet0",
        "remove the guard of vlnet0",
        "flood at most 10000 frames per second from vlnet0",
        "watch eth1 for loops of vlnet0",
        "watch for loops of vlnet0 no more",
        "flood from vlnet0 without a limit",
        "be a gateway by eth0 for 192.168.102.0/24 on vlnet0 with NAT, switch forwarding on for eth0, switch forwarding off for eth1",
        "be no gateway by eth0, switch forwarding off for eth0",
        "reach 0.0.0.0/0 via 192.168.102.2 on vlnet0",
        "reach 0.0.0.0/0 via 192.168.102.2 on vlnet0 no more",
        "ask the main table for what is of udp from port 51820",
        "ask the main table for what is of udp from port 51820 no more",
        "reach MAC 02:00:5e:00:53:01 by VTEP 203.0.0.2 on vlnet0",
        "forget MAC 02:00:5e:00:53:01 on vlnet0",
        "know 203.0.0.2 as MAC 02:00:5e:00:53:01 on vlnet0",
        "forget neighbour 203.0.0.2 on vlnet0",
        "flood to VTEP 203.0.0.2 on vlnet0",
        "stop flooding to VTEP 203.0.0.2 on vlnet0",
      ]
    `)
    expect(describeStep({ ...examples['segment.bridge'], bridge: null })).toMatchInlineSnapshot(
      `"take vlnet0 out of its bridge"`,
    )
  })

  it('never show what a preshared key is known by', () => {
    const fingerprint = presharedKey(publicKey(2))
    for (const step of Object.values(examples)) expect(describeStep(step)).not.toContain(fingerprint)
  })
})
