import assert from 'node:assert/strict'
import { encodeAnnouncement } from '../../../src/mesh/codec.ts'
import { isProven } from '../../../src/mesh/proof.ts'
import type { HostPort } from '../../../src/model/address.ts'
import type { Announcement } from '../../../src/model/announcement.ts'
import { trialsPerAddressMax, unprovenPeersMax, unprovenSecondsMax } from '../../../src/model/limits.ts'
import { sealFake } from '../../fake/gossip.ts'
import { survey } from '../checks.ts'
import { Liar } from '../liar.ts'
import type { Machine } from '../machine.ts'
import { nodeIdOf, publicKeyOf } from '../nodes.ts'
import type { Simulator } from '../simulator.ts'
import type { Findings, Story } from '../story.ts'
import { untilHealed } from '../until.ts'
import { settledMesh } from './formation.ts'
import { wordAs, wordOf } from './hostile.ts'

export const fakes: Story = {
  name: 'fakes',
  about:
    'hundreds of made-up identities, at one address and at many, cost a minute of few packets, no entry, and no newcomer its place',
  nodes: 3,
  async tell(sim, size) {
    const all = await settledMesh(sim, size)
    await sim.run({ seconds: 60 })
    const before = floods(sim)
    const began = sim.time.now()
    const count = await invent(sim, 300, {})
    const most = await watch(sim, unprovenSecondsMax + 5)
    const during = strays(sim, began)
    const quietFrom = sim.time.now()
    await sim.run({ seconds: 240 })
    assert.equal(strays(sim, quietFrom), 0, 'packets go to those that never answered')
    assert.deepEqual(floods(sim), before, 'frames are flooded to those that never answered')
    assert.ok(most <= unprovenPeersMax, `${most} unproven peers`)
    sim.node('late', { bootstrap: sim.chance.pick(all) })
    const late = await untilHonest(sim)
    await restartAll(sim)
    for (const { machine, snapshot } of await survey(sim))
      for (const member of snapshot.membership.values())
        assert.ok(isProven(member, snapshot.proofs), `${machine.name} still has ${member.announcement.name}`)
    return {
      ...figures(sim, count, most, during),
      'late one after': late,
      'whole after': await untilHealed(sim, 60),
    }
  },
}

export const fakeKeys: Story = {
  name: 'fake-keys',
  about: 'identities that claim a member’s key add nothing to its peer, here and at who comes later',
  nodes: 4,
  async tell(sim, size) {
    const all = await settledMesh(sim, size)
    await sim.run({ seconds: 60 })
    const victim = sim.at(sim.chance.pick(all))
    const before = floods(sim)
    await invent(sim, 40, { publicKey: victim.publicKey })
    await sim.run({ seconds: 30 })
    assert.deepEqual(floods(sim), before)
    for (const machine of sim.machines) {
      const peer = machine.kernel.state.tunnel?.peers.find(({ publicKey }) => publicKey === victim.publicKey)
      assert.ok(machine === victim || peer?.allowedIps.length === 1, `${machine.name}: ${peer?.allowedIps}`)
    }
    const restarted = all.find(name => name !== victim.name) as string
    await sim.stop(restarted)
    sim.start(restarted)
    await sim.run({ seconds: 30 })
    assert.deepEqual(floods(sim), before)
    return {}
  },
}

/** The liar tells of so many nodes that are not there, at once; every other one at a victim's address. */
async function invent(sim: Simulator, count: number, changes: Partial<Announcement>): Promise<number> {
  const liar = new Liar(
    sim,
    'liar',
    sim.machines.map(({ node }) => node),
  )
  await sim.run({ seconds: 20 })
  const truth = await wordOf(sim, sim.machines[0]?.name as string)
  for (let index = 0; index < count; index += 1) {
    const name = `fake${index}`
    const node = nodeIdOf(sim.seed, name)
    const place = index % 2 === 0 ? '198.19.255.1:51820' : `198.19.${200 + (index >> 8)}.${index & 255}:51820`
    const said = {
      ...wordAs(truth, node, sim.mesh),
      name: name as Announcement['name'],
      publicKey: publicKeyOf(sim.seed, name),
      endpoints: [{ place: place as HostPort, kind: 'configured' as const }],
      mtu: 1280,
      ...changes,
    }
    await liar.replay(sealFake(node, encodeAnnouncement(said)))
  }
  return count
}

/** The most unproven peers that any kernel holds meanwhile. */
async function watch(sim: Simulator, seconds: number): Promise<number> {
  const honest = new Set(sim.machines.map(({ publicKey }) => publicKey))
  const unproven = ({ kernel }: Machine) =>
    [...(kernel.tunnel?.peers.keys() ?? [])].filter(key => !honest.has(key)).length
  let most = 0
  for (let step = 0; step < seconds * 4; step += 1) {
    await sim.run({ seconds: 0.25 })
    most = Math.max(most, ...sim.machines.map(unproven))
  }
  return most
}

function floods({ machines }: Simulator) {
  return machines.map(({ name, kernel }) => [
    name,
    kernel.state.tunnel?.mtu,
    ...kernel.state.segments.map(({ flood, unicast }) => [flood, unicast]),
  ])
}

function strays({ wires }: Simulator, since: number): number {
  return [...wires.strays.values()].flat().filter(at => at > since).length
}

/** Seconds until the honest ones all reach each other, whatever else they believe in. */
async function untilHonest(sim: Simulator): Promise<number> {
  const isWhole = () => sim.machines.every(a => sim.machines.every(b => a === b || sim.wires.passes(a, b)))
  for (let step = 0; step <= 40; step += 1) {
    if (isWhole()) return step / 4
    await sim.run({ seconds: 0.25 })
  }
  throw new Error('an honest newcomer does not get in among fakes')
}

/** All at once, and without the liar, who would tell again. */
async function restartAll(sim: Simulator): Promise<void> {
  const names = sim.machines.map(({ name }) => name)
  sim.network.down(nodeIdOf(sim.seed, 'liar'))
  for (const name of names) await sim.stop(name)
  for (const name of names) sim.start(name)
  await sim.run({ seconds: 30 })
}

function figures(sim: Simulator, count: number, most: number, packets: number): Findings {
  const each = packets / sim.machines.length
  return {
    fakes: String(count),
    'peers at most': String(most),
    'packets a node': `${each.toFixed(0)} in ${unprovenSecondsMax} s`,
    'keys at one address': String(trialsPerAddressMax),
  }
}
