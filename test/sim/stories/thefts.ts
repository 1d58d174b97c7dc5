import assert from 'node:assert/strict'
import { encode } from 'cborg'
import { decodeMap } from '../../../src/mesh/cbor.ts'
import { encodeAnnouncement } from '../../../src/mesh/codec.ts'
import {
  addressOf,
  compareAddresses,
  familyOf,
  type HostPort,
  type InterfaceAddress,
} from '../../../src/model/address.ts'
import type { Announcement } from '../../../src/model/announcement.ts'
import {
  claimSinceSecondsMin,
  endpointsPerMemberMax,
  overlayAddressesPerSegmentMax,
} from '../../../src/model/limits.ts'
import { sealFake } from '../../fake/gossip.ts'
import { survey } from '../checks.ts'
import { Liar } from '../liar.ts'
import { publicKeyOf } from '../nodes.ts'
import type { Simulator } from '../simulator.ts'
import type { Story } from '../story.ts'
import { until, untilHealed } from '../until.ts'
import { settledMesh } from './formation.ts'
import { accusation, honestKernels, wordAs, wordOf } from './hostile.ts'

export const flood: Story = {
  name: 'flood',
  about:
    'a member that says something new a hundred times a second costs the others neither memory nor entries',
  nodes: 5,
  async tell(sim, size) {
    await settledMesh(sim, size)
    await sim.run({ seconds: 30 })
    const before = await honestKernels(sim)
    const { liar, own } = await newLiar(sim)
    const looks = sim.machines.map(({ kernel }) => kernel.calls.observe)
    await liar.say({ ...own, endpoints: endpoints(endpointsPerMemberMax + 1) })
    await liar.replay(sealFake(liar.node, oversized(own)))
    for (const [word, endpoint] of endpoints(words).entries()) {
      await liar.say({ ...own, sequence: { incarnation: 1, counter: word + 1 }, endpoints: [endpoint] })
      await sim.run({ seconds: 0.01 })
    }
    const looked = sim.machines.map(({ kernel }, index) => kernel.calls.observe - (looks[index] ?? 0))
    assert.ok(Math.max(...looked) < looksMax, `a look for every word: ${looked}`)
    await sim.run({ seconds: 60 })
    assert.deepEqual(await honestKernels(sim), before)
    for (const { machine, snapshot } of await survey(sim)) {
      assert.equal(snapshot.membership.size, size, `${machine.name} knows too many`)
      for (const reason of ['over-limits', 'oversized'] as const)
        assert.ok((snapshot.refused.get(reason) ?? 0) > 0, `${machine.name} does not count ${reason}`)
      const named = accusation(snapshot, liar.node)
      assert.match(named, /spoke \d{3,4} times within a minute/, machine.name)
      assert.match(named, /more than an announcement may hold/, machine.name)
    }
    // A place where nobody answers is tried anew from time to time.
    await untilHealed(sim, 10)
    return { 'looks at most': String(Math.max(...looked)) }
  },
}

export const thefts: Story = {
  name: 'thefts',
  about:
    'a liar takes automatic IPv4 addresses by claims without proof: their holders have others in seconds',
  nodes: 5,
  async tell(sim, size) {
    const all = await settledMesh(sim, size)
    await sim.run({ seconds: 30 })
    const certified = all.map(name => overlayOf(sim, name, 6))
    const { liar, own } = await newLiar(sim)
    const taken: InterfaceAddress[] = []
    let longest = 0
    for (let theft = 1; theft <= overlayAddressesPerSegmentMax; theft += 1) {
      const victim = sim.chance.pick(all)
      const [address] = overlayOf(sim, victim, 4)
      assert.ok(address !== undefined, `${victim} has no IPv4 address`)
      taken.push(address)
      await liar.say(claiming(own, taken, theft + 1, sim.chance.next() < 0.5))
      const isOther = async () => overlayOf(sim, victim, 4).some(held => !taken.includes(held))
      const moved = await until(sim, 10, isOther)
      assert.ok(moved !== null, `${victim} has no other address than ${overlayOf(sim, victim, 4)}`)
      longest = Math.max(longest, moved)
      await sim.run({ seconds: sim.chance.between(0, 10) })
    }
    const derived = all.map(name => overlayOf(sim, name, 6))
    assert.deepEqual(derived, certified, 'what has proof stays')
    await sim.run({ seconds: 10 })
    // A place where nobody answers is tried anew from time to time.
    await untilHealed(sim, 10)
    return { 'another at most after': longest }
  },
}

const words = 1000
/** The first ones at once, then two a second, and the regular ones. */
const looksMax = 60
/** The key of the endpoints in the codec's map. */
const endpointsField = 6

async function newLiar(sim: Simulator): Promise<{ liar: Liar; own: Announcement }> {
  const all = sim.machines.map(({ node }) => node)
  const liar = new Liar(sim, 'liar', all)
  await sim.run({ seconds: 20 })
  const truth = await wordOf(sim, sim.machines[0]?.name as string)
  return { liar, own: { ...wordAs(truth, liar.node, sim.mesh), publicKey: publicKeyOf(sim.seed, 'liar') } }
}

function endpoints(count: number): Announcement['endpoints'] {
  return Array.from({ length: count }, (_, index) => ({
    place: `198.18.0.66:${index + 1}` as HostPort,
    kind: 'configured',
  }))
}

/** With ten thousand endpoints; the codec would not write it. */
function oversized(own: Announcement): Uint8Array {
  const fields = new Map(decodeMap(encodeAnnouncement(own)))
  const places = endpoints(10_000).map(({ place }) => [place, 0])
  return encode(fields.set(endpointsField, places))
}

/** Addresses of others as if they were its own for as long as there is lnet, or written down by an operator. */
function claiming(
  own: Announcement,
  taken: readonly InterfaceAddress[],
  counter: number,
  pinned: boolean,
): Announcement {
  const addresses = [...taken]
    .sort((a, b) => compareAddresses(addressOf(a), addressOf(b)))
    .map(address => ({ address, since: claimSinceSecondsMin, pinned }))
  const segments = own.segments.map(segment => ({ ...segment, addresses }))
  return { ...own, sequence: { incarnation: 1, counter }, segments }
}

function overlayOf(sim: Simulator, name: string, family: 4 | 6): readonly InterfaceAddress[] {
  const addresses = sim.at(name).kernel.state.segments.flatMap(segment => segment.addresses)
  return addresses.filter(address => familyOf(address) === family)
}
