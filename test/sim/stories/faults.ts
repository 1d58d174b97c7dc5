import assert from 'node:assert/strict'
import { tunnelLiveness } from '../../../src/mesh/liveness.ts'
import type { InterfaceAddress, IpAddress } from '../../../src/model/address.ts'
import { emptyKernelState, type KernelState } from '../../../src/model/kernel-state.ts'
import { expectHealed, survey, untilHealed } from '../checks.ts'
import { names, type Simulator } from '../simulator.ts'
import type { Story } from '../story.ts'
import { formMesh, settledMesh } from './formation.ts'

export const kernelFaults: Story = {
  name: 'kernel-faults',
  about: 'tools that fail one time in five do not keep a mesh from becoming whole',
  nodes: 6,
  async tell(sim, size) {
    sim.kernelFaultsPercent = 20
    await formMesh(sim, names(size))
    sim.node('late', { bootstrap: 'a' })
    const formed = await untilHealed(sim, 180)
    sim.kernelFaultsPercent = 100
    await sim.run({ seconds: 120 })
    sim.node('later', { bootstrap: 'a' })
    await sim.run({ seconds: 30 })
    sim.kernelFaultsPercent = 0
    return { 'whole after': formed, 'after outage': await untilHealed(sim, 60) }
  },
}

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
      const told = !what.startsWith('peer')
      const before = JSON.stringify(withoutReadings(sim.at(victim).kernel.state))
      sim.meddle(victim, change, told)
      assert.notEqual(
        JSON.stringify(withoutReadings(sim.at(victim).kernel.state)),
        before,
        `${what} changes nothing`,
      )
      await sim.run({ seconds: told ? 1.5 : 9 })
      assert.equal(
        JSON.stringify(withoutReadings(sim.at(victim).kernel.state)),
        before,
        `${what} was not repaired on ${victim}`,
      )
      longest = Math.max(longest, await untilHealed(sim, 20))
    }
    assert.ok(sim.trace.count('kernel.drift') >= Object.keys(changes).length, 'drift is told')
    return { 'longest tunnel outage': longest }
  },
}

/** Where WireGuard sends is its own business. */
function withoutReadings(state: KernelState): KernelState {
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

const changes: Readonly<Record<string, Change>> = {
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
  'guard gone': onSegments(() => ({ guard: null })),
  'flood list empty': onSegments(() => ({ flood: [] })),
  'flood to a stranger': onSegments(({ flood }) => ({ flood: [stranger, ...flood] })),
  'MACs gone': onSegments(({ unicast }) => ({ unicast: unicast.slice(1) })),
  'MACs elsewhere': onSegments(({ unicast }) => ({
    unicast: unicast.map(({ mac }) => ({ mac, vtep: stranger })),
  })),
  'neighbours gone': onSegments(() => ({ neighbours: [] })),
}

export const moves: Story = {
  name: 'moves',
  about: 'machines that get other addresses are found again within seconds, two at a time too',
  nodes: 6,
  async tell(sim, size) {
    const all = await settledMesh(sim, size)
    await sim.run({ seconds: sim.chance.between(0, 100) })
    sim.move(sim.chance.pick(all))
    const one = await untilHealed(sim, 30)
    await sim.run({ seconds: sim.chance.between(0, 100) })
    const [first, second] = sim.chance.shuffled(all) as [string, string]
    sim.move(first)
    sim.move(second)
    return { 'one after': one, 'two after': await untilHealed(sim, 60) }
  },
}

export const blocked: Story = {
  name: 'blocked',
  about: 'a tunnel that cannot be is called down, not unknown for ever',
  nodes: 4,
  async tell(sim, size) {
    await settledMesh(sim, size)
    sim.partition(['a', 'b'], ['c', 'd'])
    await sim.run({ seconds: 130 })
    let seen = 0
    for (let second = 0; second < 100; second += 1) {
      await sim.run({ seconds: 1 })
      const [sight] = await survey(sim)
      const track = sight?.snapshot.tracks.get(sim.at('c').publicKey)
      assert.ok(sight !== undefined && track !== undefined)
      if (tunnelLiveness(track, sight.snapshot.now) === 'down') seen += 1
    }
    assert.ok(seen >= 90, `down in ${seen} of 100 looks`)
    sim.heal()
    return { 'whole after': await untilHealed(sim, 30) }
  },
}

export const chaos: Story = {
  name: 'chaos',
  about: 'everything at once, for minutes; whole once it ends',
  nodes: 9,
  async tell(sim, size) {
    const all = await settledMesh(sim, size)
    const end = sim.time.now() + 600_000
    while (sim.time.now() < end) {
      await act(sim, all)
      await sim.run({ seconds: sim.chance.between(0, 30) })
    }
    sim.heal()
    sim.weather({ loss: 0, delay: { min: 5, max: 40 }, duplication: 0 })
    sim.kernelFaultsPercent = 0
    for (const { name, process } of sim.machines) if (process === null) sim.start(name)
    const whole = await untilHealed(sim, 120)
    await sim.run({ seconds: 300 })
    await expectHealed(sim)
    return { 'whole after': whole, nodes: String(sim.machines.length) }
  },
}

async function act(sim: Simulator, all: string[]): Promise<void> {
  const name = sim.chance.pick(all)
  const isUp = sim.at(name).process !== null
  const actions: (() => unknown)[] = [
    () => (isUp ? sim.crash(name) : sim.start(name)),
    () => (isUp ? sim.stop(name) : sim.start(name)),
    () => (isUp ? sim.powerOff(name) : sim.start(name)),
    () => (isUp ? sim.leave(name) : sim.start(name)),
    () => (isUp ? sim.down(name) : sim.start(name)),
    () => sim.move(name),
    () => sim.partition(...halves(sim.chance.shuffled(all))),
    () => sim.cut(name, sim.chance.pick(all)),
    () => sim.heal(),
    () => sim.weather({ loss: sim.chance.next() * 0.3, delay: { min: 1, max: 40 + sim.chance.below(900) } }),
    () => {
      sim.kernelFaultsPercent = sim.chance.below(15)
    },
    () => sim.meddle(name, sim.chance.pick(Object.values(changes)), sim.chance.next() < 0.5),
    () => join(sim, all),
  ]
  await sim.chance.pick(actions)()
}

function join(sim: Simulator, all: string[]): void {
  if (all.length >= 14) return
  const name = `n${all.length}`
  sim.node(name, { bootstrap: sim.chance.pick(all), near: all[0] as string })
  all.push(name)
}

function halves(all: readonly string[]): string[][] {
  return [all.slice(0, all.length / 2), all.slice(all.length / 2)]
}
