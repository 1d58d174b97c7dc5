import assert from 'node:assert/strict'
import { segmentMac } from '../../../src/mesh/derive.ts'
import { addressOf, type InterfaceAddress } from '../../../src/model/address.ts'
import type { Announcement } from '../../../src/model/announcement.ts'
import { claimSinceSecondsMin } from '../../../src/model/limits.ts'
import type { NodeId } from '../../../src/model/node.ts'
import { Liar } from '../liar.ts'
import { names, publicKeyOf } from '../nodes.ts'
import type { Simulator } from '../simulator.ts'
import type { Story } from '../story.ts'
import { silentAfterSeconds, until, untilHealed } from '../until.ts'
import { formMesh } from './formation.ts'
import { wordAs, wordOf } from './hostile.ts'

const pinned = '192.168.102.77/24' as InterfaceAddress

export const stolenPin: Story = {
  name: 'stolen-pin',
  about:
    'a liar, and a member with a handshake and an older clock, claim a pinned address and a name: their holder keeps both',
  nodes: 5,
  async tell(sim, size) {
    const all = names(size)
    await formMesh(sim, all, name => (name === 'b' ? { segment: { addresses: [pinned] } } : {}))
    await sim.run({ seconds: 90 })
    await lie(sim, all)
    await expectHolder(sim, all, 'b')
    sim.node('thief', {
      bootstrap: 'a',
      segment: { addresses: [pinned] },
      clockOffsetSeconds: -sim.chance.between(3600, 1_000_000),
    })
    await sim.run({ seconds: sim.chance.between(60, 400) })
    await expectHolder(sim, all, 'b')
    await expectContested(sim, all)
    sim.crash('a')
    await sim.run({ seconds: sim.chance.between(1, 30) })
    sim.start('a')
    await sim.run({ seconds: 60 })
    await expectHolder(sim, all, 'b')
    sim.powerOff('b')
    const others = all.filter(name => name !== 'b')
    const isTheirs = async () => others.every(name => holderOn(sim, name) === sim.at('thief').node)
    const passed = await until(sim, silentAfterSeconds(sim.running.length) + 400, isTheirs)
    assert.ok(passed !== null, 'who lives does not get the address of who is gone')
    return {
      'address of the dead passed after': passed,
      healed: await untilHealed(sim, 60, { except: ['b'] }),
    }
  },
}

/** By a member without a tunnel, which promises to speak once a day, and is gone soon. */
async function lie(sim: Simulator, all: readonly string[]): Promise<void> {
  const liar = new Liar(
    sim,
    'liar',
    sim.machines.map(({ node }) => node),
  )
  await sim.run({ seconds: 20 })
  const truth = await wordOf(sim, 'b')
  const own: Announcement = {
    ...wordAs(truth, liar.node, sim.mesh),
    publicKey: publicKeyOf(sim.seed, 'liar'),
    name: truth.name,
    heartbeatSeconds: 86_400,
  }
  const times = [1, claimSinceSecondsMin, sim.at('b').wallSeconds() + 300, 2 ** 40]
  for (const [counter, since] of sim.chance.shuffled(times).entries()) {
    const addresses = [{ address: pinned, since, pinned: true }]
    const segments = own.segments.map(segment => ({ ...segment, addresses }))
    await liar.say({ ...own, sequence: { incarnation: 1, counter }, segments })
    await sim.run({ seconds: sim.chance.between(1, 200) })
    await expectHolder(sim, all, 'b')
  }
}

/** Its own device bears the address, and all others find it there. */
async function expectHolder(sim: Simulator, all: readonly string[], name: string): Promise<void> {
  const own = sim.at(name).kernel.state.segments.flatMap(({ addresses }) => addresses)
  assert.ok(own.includes(pinned), `${name} took its own address down`)
  for (const other of all)
    if (other !== name) assert.equal(holderOn(sim, other), sim.at(name).node, `${other} obeys another`)
}

/** Whose MAC the address has in a node's kernel. */
function holderOn(sim: Simulator, name: string): NodeId | null {
  for (const { vni, neighbours } of sim.at(name).kernel.state.segments) {
    const mac = neighbours.find(({ address }) => address === addressOf(pinned))?.mac
    const holder = sim.machines.find(({ node }) => segmentMac(node, vni) === mac)
    if (holder !== undefined) return holder.node
  }
  return null
}

/** The rival itself says so as well. */
async function expectContested(sim: Simulator, all: readonly string[]): Promise<void> {
  for (const name of [...all, 'thief']) {
    const { problems } = await sim.look(() => sim.at(name).daemon.snapshot())
    const found = problems.filter(({ code }) => code.endsWith('-contested')).map(({ subject }) => subject)
    assert.ok(found.includes(addressOf(pinned)), `${name} does not tell that the address is contested`)
  }
}
