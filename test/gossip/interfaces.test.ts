import { expect, it } from 'vitest'
import { admission } from '../../src/gossip/interfaces.ts'
import { gossipOptions } from './mesh.ts'

const id = `12D3KooW${'A'.repeat(44)}`
const admits = admission(gossipOptions({ port: 51_821, bootstrap: ['/ip4/192.0.2.1/tcp/443'] }))

it.each([
  ...['/ip4/192.0.2.1/tcp/51821', '/ip6/2001:db8::1/tcp/1024', `/ip4/10.0.0.1/tcp/2000/p2p/${id}`],
  '/ip4/192.0.2.9/tcp/443',
])('lets a dial to what another node named through: %s', address => {
  expect(admits(address, 'node')).toBe(true)
})

it.each([
  ...[
    '/unix/tmp/socket',
    '/unix/%2Fvar%2Frun%2Fdocker.sock',
    '/memory/1',
    '',
    '/',
    'nonsense',
    '/p2p-circuit',
  ],
  ...['/ip4/192.0.2.1/tcp/22', '/ip4/192.0.2.1/udp/51821', '/ip4/192.0.2.1/udp/51821/quic-v1'],
  ...['/ip4/192.0.2.1/tcp/51821/ws', '/ip4/192.0.2.1/tcp/51821/wss', '/ip4/192.0.2.1/tcp/51821/http'],
  ...[`/ip4/192.0.2.1/tcp/51821/p2p/${id}/p2p-circuit`, '/dnsaddr/bootstrap.example.org', `/p2p/${id}`],
  ...['/ip4/127.0.0.1/tcp/6379', '/ip4/0.0.0.0/tcp/6379', '/ip6/::1/tcp/6379', '/ip6/::/tcp/6379'],
  ...['/ip6/::ffff:127.0.0.1/tcp/6379', '/ip6/::ffff:7f00:1/tcp/6379', '/ip6/::127.0.0.1/tcp/6379'],
  ...['/ip6/64:ff9b::7f00:1/tcp/6379', '/ip6/2002:7f00:1::/tcp/6379', '/ip6zone/eth0/ip6/fe80::1/tcp/6379'],
  ...['/ip6/fe80::1/tcp/6379', '/ip4/169.254.1.1/tcp/6379', '/ip4/224.0.0.1/tcp/6379'],
  // Only what it resolves to is judged, and dialled.
  '/dns/vps.example.org/tcp/51821',
])('and no other: %j', address => {
  expect([admits(address, 'node'), admits(address, 'lan')]).toEqual([false, false])
})

it('leaves what the operator wrote as it is, but for this node itself', () => {
  const own = ['/ip4/127.0.0.1/tcp/22', '/ip6/::1/tcp/80', '/ip4/192.0.2.1/tcp/1']
  expect(own.filter(address => admits(address, 'operator'))).toEqual(own)
  expect(admits('/ip4/127.0.0.1/tcp/51821', 'operator')).toBe(false)
})
