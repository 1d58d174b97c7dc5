import assert from 'node:assert/strict'
import type { InterfaceAddress, IpAddress, Prefix } from '../../../src/model/address.ts'
import { addressOf, familyOf } from '../../../src/model/address.ts'
import { expectHealed } from '../checks.ts'
import { names } from '../nodes.ts'
import type { Simulator } from '../simulator.ts'
import type { Story } from '../story.ts'
import { untilHealed } from '../until.ts'
import { formMesh, settledMesh } from './formation.ts'

const tiny = ['192.168.102.0/29' as Prefix]

export const sameMoment: Story = {
  name: 'same-moment',
  about: 'six nodes choose from six addresses at the same moment: each gets one',
  nodes: 6,
  async tell(sim) {
    for (const name of names(6))
      sim.node(name, { bootstrap: name === 'a' ? 'b' : 'a', segment: { prefixes: tiny } })
    const settled = await untilHealed(sim, 30)
    await sim.run({ seconds: 60 })
    await expectHealed(sim)
    expectAddresses(sim, 6)
    return { 'settled after': settled }
  },
}

export const sameAddressSplit: Story = {
  name: 'same-address-split',
  about: 'two sides give the same addresses to different nodes: the older claim keeps it, the other moves',
  nodes: 6,
  async tell(sim, size) {
    const all = names(size)
    const [left, right] = [all.slice(0, size / 2), all.slice(size / 2)]
    for (const name of all) sim.machine(name, { bootstrap: all[0] as string, segment: { prefixes: tiny } })
    sim.partition(left, right)
    for (const name of left) sim.start(name)
    await sim.run({ seconds: 10 })
    for (const name of right) sim.start(name)
    await sim.run({ seconds: sim.chance.between(20, 300) })
    const before = left.map(name => overlay4(sim, name))
    sim.heal()
    const settled = await untilHealed(sim, 60)
    assert.deepEqual(
      left.map(name => overlay4(sim, name)),
      before,
      'the older claims are kept',
    )
    expectAddresses(sim, Math.min(size, 6))
    return { 'settled after': settled }
  },
}

export const pinnedWins: Story = {
  name: 'pinned-wins',
  about: 'an automatic address gives way to a pinned one, whoever came first',
  nodes: 4,
  async tell(sim, size) {
    const all = await settledMesh(sim, size)
    const taken = overlay4(sim, sim.chance.pick(all))
    sim.node('pin', { bootstrap: 'a', segment: { addresses: [taken] } })
    const settled = await untilHealed(sim, 15)
    assert.equal(overlay4(sim, 'pin'), taken)
    return { 'settled after': settled }
  },
}

export const pinnedTwice: Story = {
  name: 'pinned-twice',
  about: 'one address written down on two nodes: exactly one has it, the other says so',
  nodes: 4,
  async tell(sim, size) {
    const address = '192.168.102.77/24' as InterfaceAddress
    const all = names(size)
    const pinned = ['b', 'c']
    for (const name of all)
      sim.machine(name, {
        bootstrap: 'a',
        ...(pinned.includes(name) ? { segment: { addresses: [address] } } : {}),
      })
    if (sim.chance.next() < 0.5) sim.partition(['a', 'b'], ['c', 'd'])
    for (const name of sim.chance.shuffled(all)) {
      sim.start(name)
      await sim.run({ seconds: sim.chance.between(0, 3) })
    }
    await sim.run({ seconds: 30 })
    sim.heal()
    const settled = await untilHealed(sim, 30)
    const holders = pinned.filter(name => overlay4(sim, name, false) === address)
    assert.equal(holders.length, 1, `held by ${holders}`)
    for (const name of pinned)
      assert.deepEqual(
        await subjectsOf(sim, name, 'address-contested'),
        holders.includes(name) ? [] : [addressOf(address)],
      )
    return { 'settled after': settled }
  },
}

export const tunnelPrefix: Story = {
  name: 'tunnel-prefix',
  about: 'VTEPs from a small IPv4 prefix, taken on two sides of a split: no two alike when it heals',
  nodes: 8,
  async tell(sim, size) {
    const prefix = '192.168.228.0/28' as Prefix
    const all = names(size)
    for (const name of all) sim.machine(name, { bootstrap: all[0] as string, tunnel: { prefix } })
    sim.partition(all.slice(0, size / 2), all.slice(size / 2))
    for (const name of all) sim.start(name)
    await sim.run({ seconds: sim.chance.between(20, 200) })
    sim.heal()
    const settled = await untilHealed(sim, 60)
    return { 'settled after': settled }
  },
}

export const vtepPinnedTwice: Story = {
  name: 'vtep-pinned-twice',
  about: 'one tunnel.address on two nodes: one works, the other takes itself away and says so',
  nodes: 4,
  async tell(sim, size) {
    const prefix = '192.168.228.0/24' as Prefix
    const address = '192.168.228.5' as IpAddress
    const optionsOf = (name: string) => ({
      tunnel: { prefix, address: name === 'b' || name === 'c' ? address : null },
    })
    await formMesh(sim, names(size), optionsOf)
    await sim.run({ seconds: 30 })
    const up = ['b', 'c'].filter(name => sim.at(name).kernel.state.tunnel !== null)
    assert.equal(up.length, 1, `${up} have a tunnel`)
    const loser = up[0] === 'b' ? 'c' : 'b'
    assert.deepEqual(await subjectsOf(sim, loser, 'address-contested'), [address])
    return { 'settled after': await untilHealed(sim, 10, { except: [loser] }) }
  },
}

export const tooSmall: Story = {
  name: 'too-small',
  about: 'more nodes than addresses: those left over say so, and all reach all by IPv6',
  nodes: 9,
  async tell(sim, size) {
    await formMesh(sim, names(size), () => ({ segment: { prefixes: tiny } }))
    const settled = await untilHealed(sim, 60)
    expectAddresses(sim, 6)
    const without = names(size).filter(name => overlay4(sim, name, false) === null)
    for (const name of without)
      assert.deepEqual(await subjectsOf(sim, name, 'address-none-free'), ['192.168.102.0/29'])
    return { 'settled after': settled }
  },
}

/** So many of the nodes have an IPv4 address on their segment's device. */
function expectAddresses(
  sim: Simulator,
  count: number,
  among: readonly string[] = names(sim.machines.length),
): void {
  const held = among.filter(name => overlay4(sim, name, false) !== null)
  assert.equal(held.length, count, `${held} have an IPv4 address`)
}

function overlay4(sim: Simulator, name: string, must?: true): InterfaceAddress
function overlay4(sim: Simulator, name: string, must: false): InterfaceAddress | null
function overlay4(sim: Simulator, name: string, must = true): InterfaceAddress | null {
  const [segment] = sim.at(name).kernel.state.segments
  const address = segment?.addresses.find(each => familyOf(each) === 4) ?? null
  assert.ok(address !== null || !must, `${name} has no IPv4 address`)
  return address
}

/** What a node complains of under one code. */
async function subjectsOf(sim: Simulator, name: string, code: string): Promise<readonly string[]> {
  const { problems } = await sim.look(() => sim.at(name).daemon.snapshot())
  return problems.filter(problem => problem.code === code).map(({ subject }) => subject)
}
