import assert from 'node:assert/strict'
import { silentReason } from '../../../src/control/reason.ts'
import { peersView } from '../../../src/control/views.ts'
import { expectSameAges, survey } from '../checks.ts'
import { addressesOf, contentOf, expectKept, expectPeer, expectWithout } from '../kept.ts'
import type { Simulator } from '../simulator.ts'
import type { Story } from '../story.ts'
import { silentAfterSeconds, untilHealed } from '../until.ts'
import { settledMesh } from './formation.ts'

export const bootstrapDies: Story = {
  name: 'bootstrap-dies',
  about: 'the one everybody was told of is gone for good: newcomers and restarts come in by others',
  nodes: 8,
  async tell(sim, size) {
    const all = await settledMesh(sim, size)
    sim.powerOff('a')
    // Its tunnels are given up after half a minute, one round after the other: neither before nor after is in between.
    await sim.run({ seconds: sim.chance.between(1, 28) })
    sim.node('late', { bootstrap: ['a', sim.chance.pick(all.slice(1))] })
    // One in a hundred is told of by the topic's second chance, which comes after 2 s.
    const joined = await untilHealed(sim, 4)
    await sim.stop('b')
    sim.crash('c')
    await sim.run({ seconds: sim.chance.between(60, 120) })
    sim.start('b')
    sim.start('c')
    return { 'late one after': joined, 'restarted after': await untilHealed(sim, 5) }
  },
}

export const restart: Story = {
  name: 'restart',
  about: 'a daemon that dies and starts again loses no kernel entry on the way, cut off or not',
  nodes: 8,
  async tell(sim, size) {
    const all = await settledMesh(sim, size)
    await sim.run({ seconds: 30 })
    const [crashed, stopped] = sim.chance.shuffled(all) as [string, string]
    const before = [crashed, stopped].map(name => contentOf(sim.at(name)))
    sim.crash(crashed)
    await sim.stop(stopped)
    await sim.run({ seconds: sim.chance.between(0, 200) })
    const cutOff = sim.chance.next() < 0.5
    if (cutOff)
      sim.partition(
        all.filter(name => name !== crashed),
        [crashed],
      )
    sim.start(crashed)
    sim.start(stopped)
    for (let step = 0; step < 400; step += 1) {
      await sim.run({ seconds: 0.1 })
      for (const [index, name] of [crashed, stopped].entries())
        expectKept(sim.at(name), before[index] ?? [], sim.time.now())
    }
    sim.heal()
    return { 'whole after': await untilHealed(sim, 5) }
  },
}

export const reboot: Story = {
  name: 'reboot',
  about: 'machines that lose power come back with the addresses they had',
  nodes: 6,
  async tell(sim, size) {
    const all = await settledMesh(sim, size)
    await sim.run({ seconds: 20 })
    const victims = sim.chance.shuffled(all).slice(0, 2)
    const before = victims.map(name => addressesOf(sim.at(name)))
    for (const name of victims) sim.powerOff(name)
    await sim.run({ seconds: sim.chance.between(1, 900) })
    for (const name of victims) sim.start(name)
    const whole = await untilHealed(sim, 2)
    assert.deepEqual(
      victims.map(name => addressesOf(sim.at(name))),
      before,
    )
    return { 'whole after': whole }
  },
}

export const blackout: Story = {
  name: 'blackout',
  about: 'all machines lose power, and come back together',
  nodes: 8,
  async tell(sim, size) {
    const all = await settledMesh(sim, size)
    await sim.run({ seconds: 20 })
    const before = all.map(name => addressesOf(sim.at(name)))
    for (const name of all) sim.powerOff(name)
    await sim.run({ seconds: sim.chance.between(10, 7200) })
    for (const name of sim.chance.shuffled(all)) {
      sim.start(name)
      await sim.run({ seconds: sim.chance.next() })
    }
    const whole = await untilHealed(sim, 5)
    assert.deepEqual(
      all.map(name => addressesOf(sim.at(name))),
      before,
    )
    return { 'whole after': whole }
  },
}

export const farewell: Story = {
  name: 'farewell',
  about: 'who leaves is gone everywhere at once, and comes back from no cache',
  nodes: 8,
  async tell(sim, size) {
    const all = await settledMesh(sim, size)
    const [leaver, away, cached] = sim.chance.shuffled(all.slice(1)) as [string, string, string]
    // One was away when it happened, another has it in its cache only.
    sim.partition(
      all.filter(name => name !== away),
      [away],
    )
    sim.crash(cached)
    await sim.leave(leaver)
    await sim.run({ seconds: 2 })
    const staying = all.filter(name => ![leaver, away, cached].includes(name))
    for (const name of staying) expectWithout(sim, name, leaver)
    assert.equal(sim.at(leaver).kernel.state.tunnel, null)
    await sim.run({ seconds: sim.chance.between(0, 100) })
    sim.start(cached)
    sim.heal()
    sim.node('late', { bootstrap: away })
    const whole = await untilHealed(sim, 10)
    for (let minute = 0; minute < 5; minute += 1) {
      for (const { name } of sim.running) expectWithout(sim, name, leaver)
      await sim.run({ seconds: 60 })
    }
    sim.start(leaver)
    return { 'whole after': whole, 'back after': await untilHealed(sim, 2) }
  },
}

export const forgotten: Story = {
  name: 'forgotten',
  about:
    'who is gone for longer than forget_after is forgotten everywhere; back before or after, it is as it was',
  nodes: 6,
  async tell(sim, size) {
    const hour = 3600
    const all = await settledMesh(sim, size, () => ({ forgetAfterSeconds: hour }))
    // The one that the others were told of: it knows nobody but those it wrote down.
    const [late, ...rest] = all as [string, ...string[]]
    const early = sim.chance.pick(rest)
    await sim.run({ seconds: 5 })
    const before = addressesOf(sim.at(late))
    sim.powerOff(early)
    sim.powerOff(late)
    await sim.run({ seconds: hour * 0.9 })
    const others = all.filter(name => name !== early && name !== late)
    await expectKnown(sim, late, others.length)
    sim.start(early)
    const backEarly = await untilHealed(sim, 2, { except: [late] })
    await sim.run({ seconds: hour * 0.2 })
    await expectKnown(sim, late, 0)
    sim.start(late)
    const backLate = await untilHealed(sim, 2)
    assert.deepEqual(addressesOf(sim.at(late)), before)
    return { 'early one after': backEarly, 'late one after': backLate }
  },
}

export const dead: Story = {
  name: 'dead',
  about: 'a dead machine stays in the kernels until gossip and WireGuard both say so',
  nodes: 6,
  async tell(sim, size) {
    const all = await settledMesh(sim, size)
    await sim.run({ seconds: 60 })
    const [gone, halfDead] = sim.chance.shuffled(all) as [string, string]
    sim.powerOff(gone)
    sim.crash(halfDead)
    await sim.run({ seconds: 200 })
    const others = all.filter(name => name !== gone && name !== halfDead)
    for (const name of others) expectPeer(sim, name, gone, true)
    await sim.run({ seconds: silentAfterSeconds(size) - 200 + 35 })
    for (const name of others) expectPeer(sim, name, gone, false)
    await sim.run({ seconds: 1800 })
    sim.node('late', { bootstrap: others[0] as string })
    await sim.run({ seconds: 5 })
    await expectSameAges(sim)
    // Its daemon is dead, its tunnel is not: one witness is not enough.
    for (const name of others) {
      expectPeer(sim, name, halfDead, true)
      await expectNamed(sim, name, halfDead)
    }
    sim.start(gone)
    sim.start(halfDead)
    return { 'whole after': await untilHealed(sim, 2) }
  },
}

/** Who looks at its peers is told that traffic goes on there, and nothing else. */
async function expectNamed(sim: Simulator, name: string, halfDead: string): Promise<void> {
  const { peers } = peersView(await sim.look(() => sim.at(name).daemon.snapshot()))
  const row = peers.find(({ node }) => node === sim.at(halfDead).node)
  assert.deepEqual([row?.state, row?.gossip, row?.reason], ['up', 'silent', silentReason])
}

/** So many of those that run still know of it. */
async function expectKnown(sim: Simulator, name: string, count: number): Promise<void> {
  const { node } = sim.at(name)
  const knowing = (await survey(sim)).filter(({ words }) => words.has(node))
  assert.equal(knowing.length, count, `${knowing.map(({ machine }) => machine.name)} know ${name}`)
}
