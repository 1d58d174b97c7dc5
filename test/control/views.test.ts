import { describe, expect, it } from 'vitest'
import { peersView } from '../../src/control/views.ts'
import type { Endpoint } from '../../src/model/address.ts'
import { emptyKernelState } from '../../src/model/kernel-state.ts'
import type { NodeName } from '../../src/model/node.ts'
import {
  announcement,
  candidate,
  kernelState,
  member,
  nodeId,
  now,
  snapshot,
  track,
  vtepOf,
} from './snapshots.ts'

process.env.TZ = 'UTC'

const rowKeys = [
  'name',
  'node',
  'public_key',
  'vtep',
  'endpoint',
  'endpoint_kind',
  'state',
  'gossip',
  'seen_seconds',
  'handshake_seconds',
  'rx_bytes',
  'tx_bytes',
  'mtu',
  'version',
  'reason',
  'segments',
]

describe('peersView', () => {
  it('has the keys that are promised, and no others', () => {
    const view = peersView(snapshot([member(2)], [track(2)]))
    expect(Object.keys(view)).toEqual(['schema', 'mesh', 'self', 'peers'])
    expect(Object.keys(view.self ?? {})).toEqual(rowKeys)
    expect(Object.keys(view.peers[0] ?? {})).toEqual(rowKeys)
    expect(Object.keys(view.peers[0]?.segments[0] ?? {})).toEqual([
      'vni',
      'interface',
      'mac',
      'addresses',
      'flood',
    ])
  })

  it('calls a member silent that did not answer, until its tunnel is heard', () => {
    const gossipOf = (heardSecondsAgo: number) => {
      const grewAt = now - heardSecondsAgo * 1000
      const unanswered = new Map([[nodeId(2), now - 3000]])
      return peersView(snapshot([member(2)], [track(2, { grewAt })], { unanswered })).peers[0]?.gossip
    }
    expect([gossipOf(4), gossipOf(2)]).toEqual(['silent', 'live'])
  })

  it('shows a member that is up', () => {
    expect(peersView(snapshot([member(2)], [track(2)])).peers[0]).toMatchInlineSnapshot(`
      {
        "endpoint": "203.0.113.2:51820",
        "endpoint_kind": "public",
        "gossip": "live",
        "handshake_seconds": 60,
        "mtu": 1420,
        "name": "node2",
        "node": "12D3KooWACAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "public_key": "ACkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkA=",
        "reason": null,
        "rx_bytes": 2000,
        "seen_seconds": 4,
        "segments": [
          {
            "addresses": [
              "192.168.102.2/24",
              "fd00::2/64",
            ],
            "flood": true,
            "interface": "vlnet0",
            "mac": "02:00:00:00:00:02",
            "vni": 49371,
          },
        ],
        "state": "up",
        "tx_bytes": 4000,
        "version": "0.1.0",
        "vtep": "192.168.228.2",
      }
    `)
  })

  it('shows this node by what it announces, with the sums of its traffic', () => {
    expect(peersView(snapshot([member(2), member(3)], [track(2), track(3)])).self).toMatchInlineSnapshot(`
      {
        "endpoint": "203.0.113.1:51820",
        "endpoint_kind": "public",
        "gossip": "live",
        "handshake_seconds": null,
        "mtu": 1420,
        "name": "node1",
        "node": "12D3KooWABAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "public_key": "ABkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkA=",
        "reason": null,
        "rx_bytes": 5000,
        "seen_seconds": 0,
        "segments": [
          {
            "addresses": [
              "192.168.102.1/24",
              "fd00::1/64",
            ],
            "flood": false,
            "interface": "vlnet0",
            "mac": "02:00:00:00:00:01",
            "vni": 49371,
          },
        ],
        "state": "up",
        "tx_bytes": 10000,
        "version": "0.1.0",
        "vtep": "192.168.228.1",
      }
    `)
  })

  it('has no self before the first announcement', () => {
    expect(peersView(snapshot([], [], { self: null })).self).toBeNull()
  })

  it('says why this node itself is not up', () => {
    const withoutTunnel = emptyKernelState
    const of = (state: typeof withoutTunnel | null) => peersView(snapshot([], [], { state })).self
    expect(of(null)).toMatchObject({ state: 'unknown', reason: 'the kernel was not looked at yet' })
    expect(of(withoutTunnel)).toMatchObject({
      state: 'down',
      reason: 'the tunnel is not there: see the problems in lnetctl status',
    })
  })

  it('sorts by name, then by node, whatever the order they came in', () => {
    const name = 'twin' as NodeName
    const members = [member(4, { name }), member(2), member(3, { name })]
    const order = (list: typeof members) => peersView(snapshot(list)).peers.map(({ node }) => node)
    expect(order(members)).toEqual([nodeId(2), nodeId(3), nodeId(4)])
    expect(order(members.toReversed())).toEqual(order(members))
  })

  it('never shows a negative age when a clock stepped back', () => {
    const ahead = track(2, { handshakeAt: 1e12 })
    const row = peersView(snapshot([member(2, {}, -5)], [ahead])).peers[0]
    expect(row).toMatchObject({ seen_seconds: 0, handshake_seconds: 0 })
  })
})

describe('the flood flag', () => {
  it('is what the kernel holds now', () => {
    const state = kernelState([vtepOf(2)])
    const { peers } = peersView(snapshot([member(2), member(3)], [], { state }))
    expect(peers.map(({ segments }) => segments[0]?.flood)).toEqual([true, false])
  })

  it('is false, without an interface, in a segment this node is not in', () => {
    const { peers } = peersView(snapshot([member(2)], [], { state: null }))
    expect(peers[0]?.segments[0]).toMatchObject({ interface: null, flood: false })
  })
})

describe('the kind of an endpoint', () => {
  const name = candidate('vps.example.org:51820', 'configured')
  const lan = candidate('10.0.0.2:51820', 'lan')
  it.each([
    ['announced', [lan], '10.0.0.2:51820', [], 'lan'],
    [
      'resolved from an announced name',
      [name, lan],
      '198.51.100.9:51820',
      ['198.51.100.9:51820'],
      'configured',
    ],
    ['found by WireGuard', [name, lan], '198.51.100.9:1234', ['198.51.100.9:51820'], 'roamed'],
    ['not known', [lan], null, [], null],
  ] as const)('%s', (_, endpoints, endpoint, candidates, kind) => {
    const changes = {
      endpoint: endpoint as Endpoint | null,
      candidates: candidates as readonly string[] as Endpoint[],
    }
    const { peers } = peersView(snapshot([member(2, { endpoints })], [track(2, changes)]))
    expect(peers[0]).toMatchObject({ endpoint, endpoint_kind: kind })
  })
})

describe('state and gossip', () => {
  const quiet = { grewAt: null, handshakeAt: null }
  it.each([
    ['heard by both', member(2), track(2), 'up', 'live'],
    ['silent in gossip, alive in WireGuard', member(2, {}, 241), track(2), 'up', 'silent'],
    ['just set up', member(2), track(2, { ...quiet, endpointSetAt: 3_599_000 }), 'unknown', 'live'],
    ['tried in vain', member(2), track(2, quiet), 'down', 'live'],
    [
      'tried in vain, another round under way',
      member(2),
      track(2, { ...quiet, endpointSetAt: 3_599_000, tried: track(2).candidates }),
      'down',
      'live',
    ],
    ['not in WireGuard', member(2), null, 'unknown', 'live'],
    ['gone on purpose', member(2, { left: true }), track(2), 'left', 'left'],
  ] as const)('%s', (_, given, tunnel, state, gossip) => {
    const { peers } = peersView(snapshot([given], tunnel === null ? [] : [tunnel]))
    expect(peers[0]).toMatchObject({ state, gossip })
    expect(peers[0]?.reason === null).toBe(state === 'up' && gossip === 'live')
  })
})

describe('a member that left', () => {
  it('has no endpoint any more', () => {
    const { peers } = peersView(snapshot([member(2, { left: true, endpoints: [] })], [track(2)]))
    expect(peers[0]).toMatchObject({ endpoint: null, endpoint_kind: null, handshake_seconds: 60 })
  })
})

describe('a contested VTEP', () => {
  it('names the one who owns it', () => {
    const thief = member(3, { vtep: vtepOf(2), vtepClaim: { since: 1_800_000_000, pinned: false } })
    const { peers } = peersView(snapshot([member(2), thief], [track(2), track(3)]))
    expect(peers.map(({ state }) => state)).toEqual(['up', 'down'])
    expect(peers.map(({ reason }) => reason)).toMatchInlineSnapshot(`
      [
        null,
        "its VTEP 192.168.228.2 belongs to node2 (12D3KooWACAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA): change tunnel.address on one of the two",
      ]
    `)
  })

  it('counts our own claim', () => {
    const late = { vtep: vtepOf(1), vtepClaim: { since: 1_800_000_000, pinned: false } }
    const { peers } = peersView(snapshot([member(2, late)], [], { self: announcement(1) }))
    expect(peers[0]?.reason).toContain('belongs to node1')
  })
})
