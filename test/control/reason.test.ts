import { describe, expect, it } from 'vitest'
import { type Circumstances, reasonOf } from '../../src/control/reason.ts'
import type { TunnelTrack } from '../../src/mesh/liveness.ts'
import type { Endpoint, IpAddress, Prefix } from '../../src/model/address.ts'
import type { UnderlayPaths } from '../../src/model/path.ts'
import { announcement, nodeId, track, wallSeconds } from './snapshots.ts'

process.env.TZ = 'UTC'

const { node, name, vtep, endpoints } = announcement(2)
const dead = track(2, { grewAt: null, handshakeAt: null })
const base: Circumstances = {
  node,
  isStatic: false,
  standing: 'live',
  seenSeconds: 4,
  vtep,
  vteps: '192.168.228.0/24' as Prefix,
  vtepOwner: { node, name },
  endpoints,
  paths: new Map(),
  track: dead,
  liveness: 'down',
  hasTunnel: true,
  handshakeAt: null,
  isProven: true,
  hasPeer: true,
  wallSeconds,
}
const places = [
  '203.0.113.2:51820',
  '10.0.0.2:51820',
  '[2001:db8::2]:51821',
] as readonly string[] as Endpoint[]
const other = announcement(3)
const ownAddresses: UnderlayPaths = new Map(
  ['203.0.113.2' as IpAddress].map(address => [address, { ok: true, source: address, vpn: null }]),
)

describe('reasonOf', () => {
  const cases: readonly [string, Partial<Circumstances>][] = [
    ['up', { liveness: 'up' }],
    ['left', { standing: 'left', seenSeconds: 7300 }],
    ['taken back', { standing: 'left', seenSeconds: 7300, isStatic: true }],
    ['VTEP of another network', { vtep: '10.9.9.9' as IpAddress }],
    ['VTEP of another node', { vtepOwner: { node: nodeId(3), name: other.name } }],
    ['no tunnel here', { hasTunnel: false, track: null, liveness: 'unknown' }],
    ['not in WireGuard', { track: null, liveness: 'unknown' }],
    ['first handshake', { liveness: 'unknown' }],
    [
      'second endpoint',
      { liveness: 'unknown', handshakeAt: wallSeconds - 60, track: track(2, { tried: places.slice(1, 2) }) },
    ],
    ['inbound only, waiting', { liveness: 'unknown', track: { ...dead, endpoint: null } }],
    ['one endpoint', {}],
    ['three endpoints', { track: track(2, { tried: places }), handshakeAt: wallSeconds - 28 * 60 }],
    ['made anew', { track: { ...dead, pastReceivedBytes: 1000 }, handshakeAt: wallSeconds - 13 * 60 }],
    ['between trials', { isProven: false, hasPeer: false }],
    ['before its trial', { isProven: false, hasPeer: false, liveness: 'unknown', track: null }],
    ['two ports', { track: { ...dead, tried: places.slice(1) } }],
    ['handshake yesterday', { track: track(2), handshakeAt: wallSeconds - 2 * 86_400 }],
    ['no endpoint', { endpoints: [], track: { ...dead, endpoint: null } }],
    ['unusable endpoints', { track: { ...dead, endpoint: null } }],
    ['no IPv6 here', { track: at('[2001:db8::2]:51820'), paths: no('2001:db8::2') }],
    ['no IPv4 here', { paths: no('203.0.113.2') }],
    [
      'no route at all',
      { track: at('[2001:db8::2]:51820', '203.0.113.2:51820'), paths: no('2001:db8::2', '203.0.113.2') },
    ],
    ['one route of two', { track: at('[2001:db8::2]:51820', '203.0.113.2:51820'), paths: no('2001:db8::2') }],
    ['only by a VPN', { paths: by('tailscale0', '203.0.113.2') }],
    ['by a LAN', { paths: by(null, '203.0.113.2') }],
    ['this machine itself', { track: { ...dead, endpoint: null }, paths: ownAddresses }],
    ['silent', { standing: 'silent', seenSeconds: 900 }],
  ]

  it('says each in one sentence that leads to the fix', () => {
    const said = Object.fromEntries(
      cases.map(([title, changes]) => [title, reasonOf({ ...base, ...changes })]),
    )
    expect(said).toMatchInlineSnapshot(`
      {
        "VTEP of another network": "its VTEP 10.9.9.9 is outside our network 192.168.228.0/24: tunnel.prefix has to be the same on all nodes",
        "VTEP of another node": "its VTEP 192.168.228.2 belongs to node3 (12D3KooWADAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA): change tunnel.address on one of the two",
        "before its trial": "seen 4 s ago, never a handshake: waits for its turn to be tried",
        "between trials": "seen 4 s ago, never a handshake, 1 endpoint tried, silent, tried again later: is UDP 51820 blocked?",
        "by a LAN": "seen 4 s ago, never a handshake, 1 endpoint tried, silent: is UDP 51820 blocked?",
        "first handshake": "waiting for its first handshake at 203.0.113.2:51820",
        "handshake yesterday": "seen 4 s ago, no handshake since 2026-11-20 10:30, 1 endpoint tried, silent: is UDP 51820 blocked?",
        "inbound only, waiting": "waiting for its first handshake without an endpoint",
        "left": "left the mesh 2 h ago; it comes back when its lnetd is started again",
        "made anew": "seen 4 s ago, no handshake since 10:17, 1 endpoint tried, silent: is UDP 51820 blocked?",
        "no IPv4 here": "seen 4 s ago, never a handshake, no IPv4 route from this machine to 203.0.113.2: does it have IPv4 at all?",
        "no IPv6 here": "seen 4 s ago, never a handshake, no IPv6 route from this machine to 2001:db8::2: does it have IPv6 at all?",
        "no endpoint": "seen 4 s ago, never a handshake, it announces no endpoint and did not reach us: give it one in tunnel.endpoints, or open UDP here",
        "no route at all": "seen 4 s ago, never a handshake, no route from this machine to 2001:db8::2, 203.0.113.2: see ip route",
        "no tunnel here": "this node has no tunnel yet: see lnetctl status",
        "not in WireGuard": "seen 4 s ago, not set up in WireGuard yet: see lnetctl plan",
        "one endpoint": "seen 4 s ago, never a handshake, 1 endpoint tried, silent: is UDP 51820 blocked?",
        "one route of two": "seen 4 s ago, never a handshake, 2 endpoints tried, all silent: is UDP 51820 blocked?",
        "only by a VPN": "seen 4 s ago, never a handshake, 1 endpoint tried, only by tailscale0, silent: is UDP 51820 blocked?",
        "second endpoint": "waiting for an answer at 203.0.113.2:51820, 1 endpoint tried before",
        "silent": "silent for 15 min, never a handshake, 1 endpoint tried, silent: is it switched off or offline?",
        "taken back": "taken back 2 h ago: no node declares it any more",
        "this machine itself": "seen 4 s ago, never a handshake, the addresses it announces are those of this machine itself: is it a copy of this one?",
        "three endpoints": "seen 4 s ago, no handshake since 10:02, 3 endpoints tried, all silent: is UDP 51820 or 51821 blocked?",
        "two ports": "seen 4 s ago, never a handshake, 3 endpoints tried, all silent: is UDP 51820 or 51821 blocked?",
        "unusable endpoints": "seen 4 s ago, never a handshake, none of the endpoints it announces (203.0.113.2:51820) can be used here: do names resolve?",
        "up": null,
      }
    `)
  })
})

function at(...tried: readonly string[]): TunnelTrack {
  return { ...dead, endpoint: tried[0] as Endpoint, tried: tried as readonly Endpoint[] }
}

function no(...addresses: readonly string[]): UnderlayPaths {
  return new Map(addresses.map(address => [address as IpAddress, { ok: false, error: 'ENETUNREACH' }]))
}

function by(vpn: string | null, ...addresses: readonly string[]): UnderlayPaths {
  const path = { ok: true, source: '100.64.0.1' as IpAddress, vpn } as const
  return new Map(addresses.map(address => [address as IpAddress, path]))
}
