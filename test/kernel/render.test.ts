import { describe, expect, it } from 'vitest'
import { batchesOf } from '../../src/kernel/batch.ts'
import { type Instruction, peerSection, render } from '../../src/kernel/render.ts'
import { userSpaceCommand } from '../../src/kernel/tunnel.ts'
import type {
  Endpoint,
  InterfaceAddress,
  InterfaceName,
  IpAddress,
  MacAddress,
  Port,
  Prefix,
} from '../../src/model/address.ts'
import type { DetourRule, GatewayState } from '../../src/model/gateway.ts'
import type { WireguardPeer } from '../../src/model/kernel-state.ts'
import type { Vni } from '../../src/model/segment.ts'
import type { Step, StepKind } from '../../src/model/step.ts'
import { desiredState, mesh, planFor, publicKey, publicKeyOf, secrets } from './state.ts'

const tunnel = 'lnet0' as InterfaceName
const segment = 'vlnet0' as InterfaceName
const mac = '02:00:00:00:00:02' as MacAddress
const vtep = 'fd77::2' as IpAddress
const peer = desiredState(1).tunnel?.peers[0] as WireguardPeer
const identity = {
  interface: segment,
  vni: 49371 as Vni,
  port: 4789 as Port,
  local: 'fd77::1' as IpAddress,
  lower: tunnel,
  mac: '02:00:00:00:00:01' as MacAddress,
  mtu: 1350,
}
const guard = { port: 4789 as Port, tunnel, vteps: 'fd77::/64' as Prefix, privileged: true, exempt: [] }

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

/** One of each; total, so that a new kind of step needs its lines here. */
const steps: { readonly [Kind in StepKind]: Extract<Step, { kind: Kind }> } = {
  'tunnel.create': { kind: 'tunnel.create', interface: tunnel, mtu: 1420 },
  'tunnel.remove': { kind: 'tunnel.remove', interface: tunnel },
  'tunnel.configure': { kind: 'tunnel.configure', interface: tunnel, publicKey, listenPort: 51820 as Port },
  'peer.set': { kind: 'peer.set', interface: tunnel, peer },
  'peer.renew': { kind: 'peer.renew', interface: tunnel, peer },
  'peer.remove': { kind: 'peer.remove', interface: tunnel, publicKey: publicKeyOf(2) },
  'segment.create': { kind: 'segment.create', segment: identity },
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
  'link.mtu': { kind: 'link.mtu', interface: segment, mtu: 1300 },
  'link.mac': { kind: 'link.mac', interface: segment, mac },
  'link.up': { kind: 'link.up', interface: segment },
  'link.trust': { kind: 'link.trust', interface: segment, trust: 'none' },
  'learned.remove': { kind: 'learned.remove', interface: segment },
  'link.ipv6': { kind: 'link.ipv6', interface: segment },
  'address.add': { kind: 'address.add', interface: segment, address: 'fde9::1/64' as InterfaceAddress },
  'address.remove': {
    kind: 'address.remove',
    interface: segment,
    address: '10.1.2.3/24' as InterfaceAddress,
  },
  'route.add': { kind: 'route.add', route: { prefix: 'fd77::/64' as Prefix, device: null } },
  'route.remove': { kind: 'route.remove', route: { prefix: '10.77.0.0/16' as Prefix, device: tunnel } },
  'guard.set': { kind: 'guard.set', interface: segment, guard },
  'guard.remove': { kind: 'guard.remove', interface: segment },
  'limit.set': { kind: 'limit.set', interface: segment, framesPerSecond: 10_000 },
  'watch.set': {
    kind: 'watch.set',
    watch: { interface: segment, ports: ['eth1', 'eth2'] as InterfaceName[] },
  },
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

describe('render', () => {
  it('tells the tools, step by step', () => {
    const lines = Object.values(steps).flatMap(step => [`# ${step.kind}`, ...render(step, mesh).map(textOf)])
    expect(lines.join('\n')).toMatchInlineSnapshot(`
      "# tunnel.create
      {"tool":"tunnel","interface":"lnet0","mtu":1420}
      ip link set dev lnet0 alias lnet:00112233445566778899aabbccddeeff mtu 1420 addrgenmode none
      echo 0 >/proc/sys/net/ipv6/conf/lnet0/disable_ipv6
      # tunnel.remove
      ip link delete dev lnet0 || /Cannot find device/
      # tunnel.configure
      {"tool":"wg-device","interface":"lnet0","listenPort":51820}
      # peer.set
      {"tool":"wg-peer","interface":"lnet0","peer":{"publicKey":"AAAAAgcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=","presharedKey":"d088751889f51f20","endpoint":"10.9.0.2:51820","allowedIps":["fd77::2/128"],"keepaliveSeconds":25}}
      # peer.renew
      {"tool":"wg-remove","interface":"lnet0","publicKey":"AAAAAgcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=","renewed":true}
      {"tool":"wg-peer","interface":"lnet0","peer":{"publicKey":"AAAAAgcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=","presharedKey":"d088751889f51f20","endpoint":"10.9.0.2:51820","allowedIps":["fd77::2/128"],"keepaliveSeconds":25}}
      # peer.remove
      {"tool":"wg-remove","interface":"lnet0","publicKey":"AAAAAgcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=","renewed":false}
      # segment.create
      ip link add vlnet0 address 02:00:00:00:00:01 mtu 1350 type vxlan id 49371 dstport 4789 local fd77::1 ttl 64 srcport 1 1023 dev lnet0 udp6zerocsumtx udp6zerocsumrx || /File exists/
      ip link set dev vlnet0 alias lnet:00112233445566778899aabbccddeeff
      # segment.remove
      ip link delete dev vlnet0 || /Cannot find device/
      # port.suppress
      bridge link set dev vlnet0 neigh_suppress on
      # port.mac.set
      bridge fdb replace 02:00:00:00:00:02 dev vlnet0 master static
      # port.mac.remove
      bridge fdb delete 02:00:00:00:00:02 dev vlnet0 master || /No such file or directory|Cannot find device|Operation not supported|Invalid argument/
      # bridge.create
      ip link add br0 address 02:00:00:00:00:02 type bridge
      ip link set dev br0 alias lnet:00112233445566778899aabbccddeeff
      # bridge.neighbours.remove
      ip neighbour flush dev br0 nud permanent protocol 201 || /Cannot find device/
      # bridge.remove
      ip link delete dev br0 || /Cannot find device/
      # bridge.address.add
      ip address replace 192.168.102.1/24 dev br0 noprefixroute metric 20201
      # bridge.address.remove
      ip address delete 192.168.102.1/24 dev br0 || /ddress not found|Cannot assign requested address|Cannot find device/
      # bridge.neighbour.set
      ip neighbour replace 192.168.102.2 lladdr 02:00:00:00:00:02 dev br0 nud permanent protocol 201
      # bridge.neighbour.remove
      ip neighbour delete 192.168.102.2 dev br0 || /No such file or directory|Cannot find device/
      # segment.ageing
      ip link set dev vlnet0 type vxlan ageing 60
      # segment.local
      ip link set dev vlnet0 type vxlan local fd77::2
      # segment.bridge
      ip link set dev vlnet0 master br0
      # link.mtu
      ip link set dev vlnet0 mtu 1300
      # link.mac
      ip link set dev vlnet0 address 02:00:00:00:00:02
      # link.up
      ip link set dev vlnet0 up
      # link.trust
      echo 0 >/proc/sys/net/ipv6/conf/vlnet0/accept_ra
      echo 0 >/proc/sys/net/ipv6/conf/vlnet0/autoconf
      echo 0 >/proc/sys/net/ipv6/conf/vlnet0/accept_redirects
      echo 0 >/proc/sys/net/ipv4/conf/vlnet0/accept_redirects
      echo 0 >/proc/sys/net/ipv4/conf/vlnet0/arp_accept
      # learned.remove
      ip address flush dev vlnet0 mngtmpaddr || /Cannot find device|does not exist/
      ip route flush table all dev vlnet0 proto ra || /Cannot find device|does not exist/
      ip route flush table all type unicast root 2000::/3 dev vlnet0 proto kernel || /Cannot find device|does not exist/
      ip route flush table all type unicast root fc00::/7 dev vlnet0 proto kernel || /Cannot find device|does not exist/
      # link.ipv6
      echo 0 >/proc/sys/net/ipv6/conf/vlnet0/disable_ipv6
      # address.add
      ip address replace fde9::1/64 dev vlnet0 noprefixroute nodad
      # address.remove
      ip address delete 10.1.2.3/24 dev vlnet0 || /ddress not found|Cannot assign requested address|Cannot find device/
      # route.add
      ip route add unreachable fd77::/64 proto 201 metric 4294967295 || /File exists/
      # route.remove
      ip route delete 10.77.0.0/16 dev lnet0 proto 201 metric 201000 || /No such process|Cannot find device/
      # guard.set
      nft <<END
      table inet lnet_vlnet0
      delete table inet lnet_vlnet0
      table inet lnet_vlnet0 {
        chain guard_rx {
          type filter hook input priority raw; policy accept;
          udp dport 4789 iifname != "lnet0" counter drop
          udp dport 4789 meta nfproto != ipv6 counter drop
          udp dport 4789 ip6 daddr != fd77::/64 counter drop
          udp dport 4789 udp sport >= 1024 counter drop
        }
        chain guard_via {
          type filter hook forward priority raw; policy accept;
          udp dport 4789 iifname != "lnet0" oifname "lnet0" counter drop
        }
        chain guard_tx {
          type filter hook output priority raw; policy accept;
          udp dport 4789 oifname != "lnet0" ip6 saddr fd77::/64 counter drop
          udp dport 4789 oifname != "lnet0" ip6 daddr fd77::/64 counter drop
          udp dport 4789 oifname "lnet0" udp sport >= 1024 counter drop
        }
      }
      END
      # guard.remove
      nft <<END
      table inet lnet_vlnet0
      delete table inet lnet_vlnet0
      END
      # limit.set
      nft <<END
      table netdev lnet_vlnet0
      delete table netdev lnet_vlnet0
      table netdev lnet_vlnet0 {
        set heard {
          type ether_addr
          size 65535
          flags dynamic,timeout
          timeout 3600s
        }
        chain hear {
          type filter hook ingress device "vlnet0" priority 0; policy accept;
          update @heard { ether saddr }
        }
        chain flood {
          type filter hook egress device "vlnet0" priority 0; policy accept;
          ether daddr & 01:00:00:00:00:00 == 00:00:00:00:00:00 ether daddr @heard accept
          ether type arp limit rate 1000/second burst 1000 packets accept
          icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } limit rate 1000/second burst 1000 packets accept
          limit rate 10000/second burst 10000 packets accept
          counter drop
        }
      }
      END
      # watch.set
      nft <<END
      table bridge lnet_vlnet0
      delete table bridge lnet_vlnet0
      table bridge lnet_vlnet0 {
        chain forged {
          type filter hook prerouting priority 0; policy accept;
          ip6 daddr ff02::1 udp dport 51823 udp sport != 51823 drop
        }
        chain watch {
          type filter hook input priority 0; policy accept;
          iifname "eth1" ip6 daddr ff02::1 udp dport 51823 udp sport set 51824
          iifname "eth2" ip6 daddr ff02::1 udp dport 51823 udp sport set 51825
        }
        chain fence {
          type filter hook postrouting priority 0; policy accept;
          oifname "vlnet0" ip6 daddr ff02::1 udp dport 51823 drop
        }
      }
      END
      # watch.remove
      nft <<END
      table bridge lnet_vlnet0
      delete table bridge lnet_vlnet0
      END
      # limit.remove
      nft <<END
      table netdev lnet_vlnet0
      delete table netdev lnet_vlnet0
      END
      # gateway.set
      {"tool":"forwarding","interface":"eth1","on":false}
      nft <<END
      table inet lnet-gateway
      delete table inet lnet-gateway
      table inet lnet-gateway {
        chain borrowed_eth0 { }
        chain forward {
          type filter hook forward priority mangle; policy accept;
          iifname "vlnet0" oifname "eth0" tcp flags syn tcp option maxseg size set rt mtu
          iifname "eth0" oifname "vlnet0" tcp flags syn tcp option maxseg size set rt mtu
          iifname "eth0" oifname "vlnet0" ct state new ct status != dnat counter drop
        }
        chain translate {
          type nat hook postrouting priority srcnat; policy accept;
          iifname "vlnet0" oifname "eth0" ip saddr 192.168.102.0/24 counter masquerade
        }
      }
      END
      {"tool":"forwarding","interface":"eth0","on":true}
      # gateway.remove
      {"tool":"forwarding","interface":"eth0","on":false}
      nft <<END
      table inet lnet-gateway
      delete table inet lnet-gateway
      END
      # detour.set
      ip route replace 0.0.0.0/0 via 192.168.102.2 dev vlnet0 onlink proto 201 table 20201
      # detour.remove
      ip route delete 0.0.0.0/0 via 192.168.102.2 dev vlnet0 onlink proto 201 table 20201 || /No such process|Cannot find device/
      # rule.add
      ip rule add priority 20101 ipproto udp sport 51820 lookup main protocol 201 || /File exists/
      # rule.remove
      ip rule delete priority 20101 ipproto udp sport 51820 lookup main protocol 201 || /No such file or directory|Cannot find device/
      # unicast.set
      bridge fdb replace 02:00:00:00:00:02 dst fd77::2 dev vlnet0 self static
      # unicast.remove
      bridge fdb delete 02:00:00:00:00:02 dev vlnet0 self || /No such file or directory|Cannot find device/
      # neighbour.set
      ip neighbour replace fd77::2 lladdr 02:00:00:00:00:02 dev vlnet0 nud permanent
      # neighbour.remove
      ip neighbour delete fd77::2 dev vlnet0 || /No such file or directory|Cannot find device/
      # flood.add
      bridge fdb append 00:00:00:00:00:00 dst fd77::2 dev vlnet0 via lnet0 self
      # flood.remove
      bridge fdb delete 00:00:00:00:00:00 dst fd77::2 dev vlnet0 via lnet0 self || /No such file or directory|Cannot find device/
      bridge fdb delete 00:00:00:00:00:00 dst fd77::2 dev vlnet0 self || /No such file or directory|Cannot find device/"
    `)
  })

  it('tells IPv4 from IPv6', () => {
    const ipv4: readonly Step[] = [
      { kind: 'segment.create', segment: { ...identity, local: '10.77.0.1' as IpAddress } },
      { kind: 'address.add', interface: segment, address: '192.168.0.1/16' as InterfaceAddress },
      { kind: 'guard.set', interface: segment, guard: { ...guard, vteps: '10.77.0.0/16' as Prefix } },
      { kind: 'segment.bridge', interface: segment, bridge: null },
    ]
    expect(ipv4.flatMap(step => render(step, mesh).map(textOf)).join('\n')).toMatchInlineSnapshot(`
      "ip link add vlnet0 address 02:00:00:00:00:01 mtu 1350 type vxlan id 49371 dstport 4789 local 10.77.0.1 ttl 64 srcport 1 1023 dev lnet0 || /File exists/
      ip link set dev vlnet0 alias lnet:00112233445566778899aabbccddeeff
      ip address replace 192.168.0.1/16 dev vlnet0 noprefixroute
      nft <<END
      table inet lnet_vlnet0
      delete table inet lnet_vlnet0
      table inet lnet_vlnet0 {
        chain guard_rx {
          type filter hook input priority raw; policy accept;
          udp dport 4789 iifname != "lnet0" counter drop
          udp dport 4789 meta nfproto != ipv4 counter drop
          udp dport 4789 ip daddr != 10.77.0.0/16 counter drop
          udp dport 4789 udp sport >= 1024 counter drop
        }
        chain guard_via {
          type filter hook forward priority raw; policy accept;
          udp dport 4789 iifname != "lnet0" oifname "lnet0" counter drop
        }
        chain guard_tx {
          type filter hook output priority raw; policy accept;
          udp dport 4789 oifname != "lnet0" ip saddr 10.77.0.0/16 counter drop
          udp dport 4789 oifname != "lnet0" ip daddr 10.77.0.0/16 counter drop
          udp dport 4789 oifname "lnet0" udp sport >= 1024 counter drop
        }
      }
      END
      ip link set dev vlnet0 nomaster"
    `)
  })

  it('leaves no field of a WireGuard peer to what was before', () => {
    expect(peerSection(peer, secrets)).toMatchInlineSnapshot(`
      "[Peer]
      PublicKey = AAAAAgcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=
      PresharedKey = E5HWWVoIoXvWNG31jNfHhL0SBlgtPq4fC7W6li3hkO8=
      PersistentKeepalive = 25
      AllowedIPs = fd77::2/128
      Endpoint = 10.9.0.2:51820
      "
    `)
    const bare: WireguardPeer = {
      publicKey: publicKeyOf(3),
      presharedKey: null,
      endpoint: null,
      allowedIps: [],
      keepaliveSeconds: 0,
    }
    expect(peerSection(bare, secrets)).toMatchInlineSnapshot(`
      "[Peer]
      PublicKey = AAAAAwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=
      PresharedKey = AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
      PersistentKeepalive = off
      "
    `)
  })

  it('starts wireguard-go so that it outlives lnetd', () => {
    expect(userSpaceCommand(tunnel, false)).toEqual({ tool: 'wireguard-go', arguments: ['-f', 'lnet0'] })
    const { tool, arguments: rest } = userSpaceCommand(tunnel, true)
    expect([tool, ...rest].join(' ')).toMatchInlineSnapshot(
      `"systemd-run --quiet --collect --service-type=exec --unit=lnetd-wireguard-lnet0 --property=LimitCORE=0 --description=WireGuard in user space for lnet0 of lnetd sh -c { echo 0 >/proc/self/coredump_filter; } 2>/dev/null; exec "$@" sh wireguard-go -f lnet0"`,
    )
  })
})

describe('batches', () => {
  it('are as many for a thousand members as for two', () => {
    const [few, many] = [2, 1000].map(members => batchesOf(planFor(desiredState(members)), mesh))
    expect(many?.map(({ tool }) => tool)).toEqual(few?.map(({ tool }) => tool))
    expect(many?.length).toBeLessThanOrEqual(14)
    const gone = batchesOf(planFor(desiredState(0), desiredState(1000)), mesh)
    expect(gone.map(({ tool }) => tool)).toEqual(['bridge', 'ip', 'wg-remove'])
  })

  it('renew and set WireGuard peers in two processes, however they are mixed', () => {
    const mixed = Array.from({ length: 100 }, (_, index): Step => {
      const other = { ...peer, publicKey: publicKeyOf(index), endpoint: '192.0.2.1:1' as Endpoint }
      return { kind: index % 2 === 0 ? 'peer.renew' : 'peer.set', interface: tunnel, peer: other }
    })
    const batches = batchesOf(mixed, mesh)
    expect(batches.map(({ tool, items }) => [tool, items.length])).toEqual([
      ['wg-remove', 50],
      ['wg-peer', 100],
    ])
  })

  it('never move a step before one it depends on', () => {
    const key = publicKeyOf(2)
    const set: Step = { kind: 'peer.set', interface: tunnel, peer: { ...peer, publicKey: key } }
    const remove: Step = { kind: 'peer.remove', interface: tunnel, publicKey: key }
    const other: Step = { kind: 'peer.set', interface: tunnel, peer: { ...peer, publicKey: publicKeyOf(3) } }
    expect(batchesOf([set, remove, set, other], mesh).map(({ tool }) => tool)).toEqual([
      'wg-peer',
      'wg-remove',
      'wg-peer',
    ])
    // The one that takes an address over comes before the one that loses it goes.
    expect(batchesOf([other, remove], mesh).map(({ tool }) => tool)).toEqual(['wg-peer', 'wg-remove'])
    expect(
      batchesOf([steps['link.up'], steps['flood.add'], steps['link.mtu']], mesh).map(({ tool }) => tool),
    ).toEqual(['ip', 'bridge', 'ip'])
  })

  it('keep removals below the bound of an argument list', () => {
    const removals = Array.from({ length: 12_000 }, (_, index): Step => {
      return { kind: 'peer.remove', interface: tunnel, publicKey: publicKeyOf(index) }
    })
    expect(batchesOf(removals, mesh).map(({ items }) => items.length)).toEqual([5000, 5000, 2000])
  })
})

function textOf(instruction: Instruction): string {
  switch (instruction.tool) {
    case 'ip':
    case 'bridge':
      return `${instruction.tool} ${instruction.line}${instruction.tolerated === null ? '' : ` || ${instruction.tolerated}`}`
    case 'nft':
      return `nft <<END\n${instruction.script}END`
    case 'sysctl':
      return `echo ${instruction.value} >${instruction.path}`
    default:
      return JSON.stringify(instruction)
  }
}
