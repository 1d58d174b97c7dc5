import { describe, expect, it } from 'vitest'
import { createGossipPaths } from '../../src/daemon/gossip-paths.ts'
import type { DaemonParts } from '../../src/daemon/parts.ts'
import type { State } from '../../src/daemon/state.ts'
import type { IpAddress } from '../../src/model/address.ts'
import { FakeKernel } from '../fake/kernel.ts'
import { member, membership, nodeId } from '../mesh/world.ts'

describe('what gossip connections tell of paths', () => {
  it('is where the other end is, kept when the connection goes, and where this end is, once', async () => {
    const kernel = new FakeKernel()
    kernel.paths.set('100.64.0.2' as IpAddress, {
      ok: true,
      source: '100.64.0.1' as IpAddress,
      device: 'tailscale0',
    })
    const connected = [
      { node: nodeId(2), address: '/ip4/100.64.0.2/tcp/51821', direction: 'outbound' as const },
    ]
    const state = {
      gossip: { neighbours: () => connected },
      gossipAt: new Map(),
      gossipSources: new Set(),
      membership: membership(member(2)),
    } as unknown as State
    let found = 0
    const note = createGossipPaths({ kernel } as unknown as DaemonParts, state, () => found++)
    note()
    note()
    await Promise.resolve()
    await Promise.resolve()
    expect(state.gossipAt).toEqual(new Map([[nodeId(2), '100.64.0.2']]))
    expect(state.gossipSources).toEqual(new Set(['100.64.0.1']))
    expect(found).toBe(1)
    connected.pop()
    note()
    expect(state.gossipAt.size).toBe(1)
    state.membership = new Map()
    note()
    expect(state.gossipAt.size).toBe(0)
  })
})
