import { describe, expect, it } from 'vitest'
import type { PeersView, StatusView } from '../../src/control/protocol.ts'
import { statusView } from '../../src/control/status-view.ts'
import { peersView } from '../../src/control/views.ts'
import { wgQuickFile, withoutHooks } from '../../src/control/wg-quick.ts'
import { parseWgQuick } from '../../src/host/wg-quick/parse.ts'
import { readRecipe } from '../../src/host/wg-quick/recipe.ts'
import type { InterfaceName } from '../../src/model/address.ts'
import { member, nodeId, publicKey, snapshot, track, vtepOf } from './snapshots.ts'

const privateKey = 'WFB2Wcl3Etwl5bHuJGWLfAgJEQAdOD+28Ai4tpwaEmI='
const preshared = 'E5HWWVoIoXvWNG31jNfHhL0SBlgtPq4fC7W6li3hkO8='
const keys = { privateKey, presharedKey: () => preshared }
const router = { ...member(9), announcement: { ...member(9).announcement, declaredBy: nodeId(1) } }
const given = snapshot([member(2), router], [track(2), track(9)])
const [peers, status]: [PeersView, StatusView] = [peersView(given), statusView(given)]

describe('a wg-quick file', () => {
  it('of this node has its keys, and is read as what was written', () => {
    const self = peers.self as NonNullable<PeersView['self']>
    const file = wgQuickFile(peers, status, { row: self, keys })
    expect(file).toMatchInlineSnapshot(`
      "# node1, as lnet knew it. Others that come later are not in here.
      [Interface]
      Address = 192.168.228.1/24
      ListenPort = 51820
      PrivateKey = WFB2Wcl3Etwl5bHuJGWLfAgJEQAdOD+28Ai4tpwaEmI=
      MTU = 1420
      Table = off
      PostUp = nft add table inet lnet_vlnet0
      PostUp = nft add chain inet lnet_vlnet0 guard_rx '{ type filter hook input priority raw; policy accept; }'
      PostUp = nft add rule inet lnet_vlnet0 guard_rx udp dport 4789 iifname != %i counter drop
      PostUp = nft add rule inet lnet_vlnet0 guard_rx udp dport 4789 meta nfproto != ipv4 counter drop
      PostUp = nft add rule inet lnet_vlnet0 guard_rx udp dport 4789 ip daddr != 192.168.228.1/24 counter drop
      PostUp = nft add chain inet lnet_vlnet0 guard_via '{ type filter hook forward priority raw; policy accept; }'
      PostUp = nft add rule inet lnet_vlnet0 guard_via udp dport 4789 iifname != %i oifname %i counter drop
      PostUp = nft add chain inet lnet_vlnet0 guard_tx '{ type filter hook output priority raw; policy accept; }'
      PostUp = nft add rule inet lnet_vlnet0 guard_tx udp dport 4789 oifname != %i ip saddr 192.168.228.1/24 counter drop
      PostUp = nft add rule inet lnet_vlnet0 guard_tx udp dport 4789 oifname != %i ip daddr 192.168.228.1/24 counter drop
      PostUp = nft add rule inet lnet_vlnet0 guard_tx udp dport 4789 oifname %i udp sport >= 1024 counter drop
      PostUp = ip link add vlnet0 address 02:00:00:00:00:01 mtu 1370 type vxlan id 49371 dstport 4789 local 192.168.228.1 ttl 64 srcport 1 1023 dev %i
      PostUp = bridge fdb append 00:00:00:00:00:00 dst 192.168.228.2 dev vlnet0 via %i
      PostUp = bridge fdb append 00:00:00:00:00:00 dst 192.168.228.9 dev vlnet0 via %i
      PostUp = ip address add 192.168.102.1/24 dev vlnet0
      PostUp = ip address add fd00::1/64 dev vlnet0
      PostUp = ip link set vlnet0 up
      PreDown = ip link delete vlnet0
      PreDown = nft delete table inet lnet_vlnet0

      [Peer]
      # Name = node2
      PublicKey = ACkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkA=
      PresharedKey = E5HWWVoIoXvWNG31jNfHhL0SBlgtPq4fC7W6li3hkO8=
      AllowedIPs = 192.168.228.2/32
      Endpoint = 203.0.113.2:51820
      PersistentKeepalive = 25

      [Peer]
      # Name = node9
      PublicKey = BBkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkA=
      AllowedIPs = 192.168.228.9/32
      Endpoint = 203.0.113.9:51820
      PersistentKeepalive = 25
      "
    `)
    const read = parseWgQuick(file, 'wg0' as InterfaceName)
    expect(read).toMatchObject({
      ok: true,
      value: {
        privateKey,
        listenPort: status.tunnel?.port,
        addresses: status.tunnel?.addresses,
        unknown: [],
        peers: [
          { publicKey: publicKey(2), hasPresharedKey: true },
          { publicKey: publicKey(9), hasPresharedKey: false },
        ],
      },
    })
    const recipe = readRecipe(read.ok ? read.value.commands : [])
    expect(recipe).toMatchObject({ unknown: [], notes: [] })
    expect(recipe.segments.map(({ interface: name, vni, port, flood }) => [name, vni, port, flood])).toEqual(
      status.segments.map(({ interface: name, vni, port }) => [name, vni, port, [vtepOf(2), vtepOf(9)]]),
    )
  })

  it('of a static member leaves its private key to its machine, and shares none', () => {
    const row = peers.peers.find(({ node }) => node === nodeId(9)) as PeersView['peers'][number]
    const file = wgQuickFile(peers, status, { row, keys: null })
    expect(file).toMatch(/^PrivateKey = $/m)
    expect(file).not.toContain(preshared)
    expect(file).toContain(publicKey(1))
    expect(file).toContain(publicKey(2))
    expect(file.match(/^PublicKey/gm)).toHaveLength(2)
  })

  it('for a phone is WireGuard alone', () => {
    const self = peers.self as NonNullable<PeersView['self']>
    const file = withoutHooks(wgQuickFile(peers, status, { row: self, keys }))
    expect(file).not.toMatch(/PostUp|PreDown|Table/)
    expect(file).toContain('[Peer]')
  })
})
