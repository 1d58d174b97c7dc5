import assert from 'node:assert/strict'
import type { InterfaceAddress, IpAddress } from '../../../src/model/address.ts'
import { emptyKernelState, type KernelState } from '../../../src/model/kernel-state.ts'
import type { Story } from '../story.ts'
import { until, untilHealed } from '../until.ts'
import { settledMesh } from './formation.ts'

type Change = (state: KernelState) => KernelState

export const meddling: Story = {
  name: 'meddling',
  about: 'whatever somebody changes of ours in a kernel is repaired within seconds',
  nodes: 5,
  async tell(sim, size) {
    const all = await settledMesh(sim, size)
    await sim.run({ seconds: 30 })
    let longest = 0
    for (const [what, change] of Object.entries(changes)) {
      const victim = sim.chance.pick(all)
      const content = () => JSON.stringify(withoutRoaming(sim.at(victim).kernel.state))
      const before = content()
      const isTold = !what.startsWith('peer')
      sim.meddle(victim, change, isTold)
      assert.notEqual(content(), before, `${what} changes nothing`)
      const repaired = await until(sim, isTold ? 1.5 : 9, async () => content() === before)
      assert.ok(repaired !== null, `${what} was not repaired on ${victim}`)
      longest = Math.max(longest, repaired + (await untilHealed(sim, 20)))
      await sim.run({ seconds: 1 })
    }
    assert.ok(sim.trace.count('kernel.drift') >= Object.keys(changes).length, 'drift is told')
    return { 'at most after': longest }
  },
}

/** Where WireGuard sends is its own business. */
function withoutRoaming(state: KernelState): KernelState {
  if (state.tunnel === null) return state
  return {
    ...state,
    tunnel: { ...state.tunnel, peers: state.tunnel.peers.map(peer => ({ ...peer, endpoint: null })) },
  }
}

const onTunnel =
  (
    change: (tunnel: NonNullable<KernelState['tunnel']>) => Partial<NonNullable<KernelState['tunnel']>>,
  ): Change =>
  state =>
    state.tunnel === null ? state : { ...state, tunnel: { ...state.tunnel, ...change(state.tunnel) } }

const onSegments =
  (change: (segment: KernelState['segments'][number]) => Partial<KernelState['segments'][number]>): Change =>
  state => ({ ...state, segments: state.segments.map(segment => ({ ...segment, ...change(segment) })) })

const stranger = 'fd00::bad' as IpAddress

export const changes: Readonly<Record<string, Change>> = {
  'peer removed': onTunnel(({ peers }) => ({ peers: peers.slice(1) })),
  'peers all removed': onTunnel(() => ({ peers: [] })),
  'peer keys swapped': onTunnel(({ peers }) => ({
    peers: peers.map(peer => ({ ...peer, presharedKey: null })),
  })),
  'peer without addresses': onTunnel(({ peers }) => ({
    peers: peers.map(peer => ({ ...peer, allowedIps: [] })),
  })),
  'tunnel gone': () => emptyKernelState,
  'tunnel down': onTunnel(() => ({ up: false })),
  'tunnel MTU': onTunnel(() => ({ mtu: 1500 })),
  'tunnel address gone': onTunnel(() => ({ addresses: [] })),
  'routes gone': state => ({ ...state, routes: [] }),
  'segment gone': state => ({ ...state, segments: [] }),
  'segment down': onSegments(() => ({ up: false })),
  'segment address added': onSegments(({ addresses }) => ({
    addresses: [...addresses, 'fd00::1/64' as InterfaceAddress],
  })),
  'segment address gone': onSegments(({ addresses }) => ({ addresses: addresses.slice(1) })),
  'limit gone': onSegments(() => ({ floodLimit: null })),
  'guard gone': onSegments(() => ({ guard: null })),
  'flood list empty': onSegments(() => ({ flood: [] })),
  'flood to a stranger': onSegments(({ flood }) => ({ flood: [stranger, ...flood] })),
  'MACs gone': onSegments(({ unicast }) => ({ unicast: unicast.slice(1) })),
  'MACs elsewhere': onSegments(({ unicast }) => ({
    unicast: unicast.map(({ mac }) => ({ mac, vtep: stranger })),
  })),
  'neighbours gone': onSegments(() => ({ neighbours: [] })),
}
