import { describe, expect, it } from 'vitest'
import { planView, statusView, versionView } from '../../src/control/status-view.ts'
import type { Endpoint, InterfaceName } from '../../src/model/address.ts'
import { statusMembersMax } from '../../src/model/limits.ts'
import type { Problem } from '../../src/model/problem.ts'
import type { KeyFingerprint } from '../../src/model/wireguard-key.ts'
import { kernelState, member, nodeId, publicKey, snapshot, track } from './snapshots.ts'

const notice: Problem = {
  code: 'state-set-aside',
  subject: '',
  what: 'a file was set aside',
  why: null,
  remedy: null,
  severity: 'notice',
}
const degraded: Problem = {
  code: 'foreign-device',
  subject: 'lnet0',
  what: 'rename it',
  why: null,
  remedy: null,
  severity: 'degraded',
}

describe('statusView', () => {
  it('has the keys that are promised', () => {
    expect(Object.keys(statusView(snapshot()))).toEqual([
      'schema',
      'mesh',
      'version',
      'uptime_seconds',
      'ready',
      'waiting',
      'degraded',
      'self',
      'endpoints',
      'tunnel',
      'segments',
      'members',
      'unreachable',
      'silent',
      'neighbours',
      'dials',
      'refused',
      'problems',
    ])
  })

  it('describes the tunnel and the segments as the kernel has them', () => {
    const { tunnel, segments, uptime_seconds } = statusView(snapshot([member(2)]))
    expect({ tunnel, segments, uptime_seconds }).toMatchInlineSnapshot(`
      {
        "segments": [
          {
            "addresses": [
              "192.168.102.1/24",
            ],
            "bridge": null,
            "flood": 1,
            "flood_dropped": 0,
            "flood_limit": 10000,
            "interface": "vlnet0",
            "mac": "02:00:00:00:00:01",
            "mtu": 1370,
            "port": 4789,
            "up": true,
            "vni": 49371,
          },
        ],
        "tunnel": {
          "addresses": [
            "192.168.228.1/24",
          ],
          "implementation": "kernel",
          "interface": "lnet0",
          "mtu": 1420,
          "port": 51820,
          "public_key": "ABkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkA=",
          "up": true,
        },
        "uptime_seconds": 3600,
      }
    `)
  })

  it('counts members by state and names those that are not up', () => {
    const dead = track(3, { grewAt: null, handshakeAt: null })
    const members = [member(2, {}, 500), member(3), member(4), member(5, { left: true })]
    const view = statusView(snapshot(members, [track(2), dead]))
    expect(view.members).toEqual({ known: 4, up: 1, unknown: 1, down: 1, left: 1, silent: 1 })
    expect(view.unreachable.map(({ name, state }) => `${name} ${state}`)).toEqual([
      'node3 down',
      'node4 unknown',
    ])
  })

  it('names a bounded number of them', () => {
    const members = Array.from({ length: 50 }, (_, index) => member(index + 2))
    expect(statusView(snapshot(members)).unreachable).toHaveLength(statusMembersMax)
  })

  it('names neighbours where they are members, and says how long ago a dial failed', () => {
    const neighbour = { address: '/ip4/203.0.113.2/tcp/51821', direction: 'outbound' } as const
    const view = statusView(
      snapshot([member(2)], [], {
        neighbours: [
          { node: nodeId(2), ...neighbour },
          { node: nodeId(9), ...neighbour },
        ],
        dials: [
          {
            target: '203.0.113.9:51821',
            direction: 'outbound' as const,
            failures: 3,
            lastTriedAt: 3_597_000,
            error: 'ECONNREFUSED',
            answers: true,
            secretMayDiffer: true,
          },
        ],
      }),
    )
    expect(view.neighbours.map(({ name }) => name)).toEqual(['node2', null])
    expect(view.dials).toEqual([
      {
        target: '203.0.113.9:51821',
        direction: 'outbound',
        name: null,
        failures: 3,
        tried_seconds: 3,
        error: 'ECONNREFUSED',
        answers: true,
        secret_may_differ: true,
      },
    ])
  })

  it('sorts the refused by reason', () => {
    const refused = new Map([
      ['old-sequence', 2],
      ['malformed', 7],
    ] as const)
    expect(Object.entries(statusView(snapshot([], [], { refused })).refused)).toEqual([
      ['malformed', 7],
      ['old-sequence', 2],
    ])
  })
})

describe('ready and degraded', () => {
  const tunnelDown = kernelState([])
  it.each([
    ['settled', {}, [], false],
    ['with a notice', { problems: [notice] }, [], false],
    ['with a problem', { problems: [notice, degraded] }, [], true],
    ['before the first look', { state: null }, ['the first look at the kernel'], true],
    ['without a tunnel', { state: { ...tunnelDown, tunnel: null } }, ['the tunnel to come up'], true],
    ['before the first announcement', { self: null }, ['this node to have an address to announce'], true],
    ['before the first sync', { warm: false }, ['the first word of the mesh'], true],
  ] as const)('%s', (_, changes, waiting, isDegraded) => {
    const view = statusView(snapshot([], [], changes))
    expect(view).toMatchObject({ ready: waiting.length === 0, waiting, degraded: isDegraded })
  })
})

describe('planView', () => {
  it('is empty when there is nothing to change', () => {
    expect(planView([])).toEqual({ schema: 1, steps: [] })
  })

  it('carries sentences, and nothing of the keys behind them', () => {
    const presharedKey = 'fedcba9876543210' as KeyFingerprint
    const peer = {
      publicKey: publicKey(2),
      presharedKey,
      endpoint: '203.0.113.2:51820' as Endpoint,
      allowedIps: [],
      keepaliveSeconds: 25,
    }
    const view = planView([{ kind: 'peer.set', interface: 'lnet0' as InterfaceName, peer }])
    expect(view.steps).toEqual([
      {
        kind: 'peer.set',
        sentence: `set WireGuard peer ${publicKey(2)} (no addresses) at 203.0.113.2:51820 on lnet0`,
      },
    ])
    expect(JSON.stringify(view)).not.toContain(presharedKey)
  })
})

describe('versionView', () => {
  it('tells what is running', () => {
    expect(versionView(snapshot())).toEqual({ schema: 1, version: '0.1.0' })
  })
})
