import assert from 'node:assert/strict'
import type { Snapshot } from '../../../src/control/snapshot.ts'
import { encodeAnnouncement } from '../../../src/mesh/codec.ts'
import { derivedAddress, segmentMac, vtepPrefix } from '../../../src/mesh/derive.ts'
import { standingOf } from '../../../src/mesh/membership.ts'
import type { Announcement } from '../../../src/model/announcement.ts'
import { sentenceOf } from '../../../src/model/explanation.ts'
import { sequenceNumberMax } from '../../../src/model/limits.ts'
import type { MeshId, NodeId } from '../../../src/model/node.ts'
import { sealFake } from '../../fake/gossip.ts'
import { expectHealed, survey } from '../checks.ts'
import { Liar } from '../liar.ts'
import type { Simulator } from '../simulator.ts'
import type { Story } from '../story.ts'
import { silentAfterSeconds, untilHealed } from '../until.ts'
import { settledMesh } from './formation.ts'

export const liar: Story = {
  name: 'liar',
  about: 'a member that claims what others hold changes only its own entries',
  nodes: 6,
  async tell(sim, size) {
    const all = await settledMesh(sim, size)
    const before = await honestKernels(sim)
    const other = new Liar(
      sim,
      'liar',
      sim.machines.map(({ node }) => node),
    )
    await sim.run({ seconds: 20 })
    const victim = sim.chance.pick(all)
    const truth = await wordOf(sim, victim)
    for (const [counter, lie] of sim.chance.shuffled(liesAbout(truth, other, sim)).entries()) {
      await other.say({ ...lie, sequence: { ...lie.sequence, counter: lie.sequence.counter + counter } })
      await sim.run({ seconds: sim.chance.between(0, 20) })
      assert.deepEqual(await honestKernels(sim), before)
    }
    await sim.run({ seconds: 60 })
    assert.deepEqual(await honestKernels(sim), before)
    await expectHealed(sim)
    for (const { machine, snapshot } of await survey(sim)) {
      const named = accusation(snapshot, other.node)
      for (const evidence of [/another node’s name/, /VTEP address or MAC/, /counts \d+ restarts/])
        assert.match(named, evidence, machine.name)
      assert.equal(accusedBy(snapshot).length, 1, `${machine.name} accuses others, too`)
    }
    return { refused: await refusedAnywhere(sim) }
  },
}

/** Everything but addresses without proof: an IPv4 address belongs to whoever claims it first, or pins it. */
function liesAbout(truth: Announcement, { node }: Liar, sim: Simulator): Announcement[] {
  const mac = (of: Announcement['node']) =>
    truth.segments.map(segment => ({ ...segment, mac: segmentMac(of, segment.vni) }))
  const own = wordAs(truth, node, sim.mesh)
  const derived = truth.segments.map(segment => ({
    ...segment,
    mac: segmentMac(node, segment.vni),
    addresses: segment.addresses
      .filter(({ address }) => address.includes(':'))
      .map(address => ({ ...address, since: 0, pinned: true })),
  }))
  const huge = { incarnation: sequenceNumberMax, counter: 1 }
  return [
    // Another's VTEP, MAC, name, key, certified address; another's id under the own signature; the end of all numbers.
    { ...own, vtep: truth.vtep, vtepClaim: { since: 0, pinned: true } },
    { ...own, segments: mac(truth.node) },
    { ...own, name: truth.name },
    { ...own, publicKey: truth.publicKey },
    { ...own, segments: derived },
    { ...truth, sequence: huge, left: true },
    { ...own, sequence: huge },
  ]
}

/** What another node would say of itself that holds no addresses. */
export function wordAs(truth: Announcement, node: NodeId, mesh: MeshId): Announcement {
  return {
    ...truth,
    node,
    sequence: { incarnation: 1, counter: 1 },
    vtep: derivedAddress(node, vtepPrefix(mesh)),
    segments: truth.segments.map(segment => ({
      ...segment,
      mac: segmentMac(node, segment.vni),
      addresses: [],
    })),
    endpoints: [
      { place: '198.18.0.66:51820' as Announcement['endpoints'][number]['place'], kind: 'configured' },
    ],
  }
}

export const replays: Story = {
  name: 'replays',
  about: 'old words said again, and words with false ages, bring nobody back and make nobody older',
  nodes: 6,
  async tell(sim, size) {
    const all = await settledMesh(sim, size)
    const recorder = new Liar(
      sim,
      'liar',
      sim.machines.map(({ node }) => node),
    )
    await sim.run({ seconds: 90 })
    const early = [...sim.sealed.values()].flatMap(words => words.slice(0, 2))
    const [leaver, mover] = sim.chance.shuffled(all) as [string, string]
    await sim.leave(leaver)
    sim.move(mover)
    await sim.run({ seconds: 30 })
    const [dead] = all.filter(name => name !== leaver && name !== mover) as [string]
    sim.powerOff(dead)
    await sim.run({ seconds: silentAfterSeconds(size) - 100 })
    for (const envelope of sim.chance.shuffled(early)) await recorder.replay(envelope)
    await recorder.replay(sim.sealed.get(sim.at(dead).node)?.at(-1) as Uint8Array)
    recorder.offers = await withFalseAges(sim)
    await sim.run({ seconds: 120 })
    await expectHealed(sim)
    for (const { machine, snapshot } of await survey(sim)) {
      const gone = snapshot.membership.get(sim.at(leaver).node)
      assert.equal(gone?.announcement.left, true, `${machine.name} believes that ${leaver} is back`)
      const silent = snapshot.membership.get(sim.at(dead).node)
      assert.ok(
        silent !== undefined && standingOf(silent, snapshot.now) === 'silent',
        `${dead} lives on ${machine.name}`,
      )
    }
    return { 'words said again': String(early.length) }
  },
}

/** True words, said to be weeks old. */
async function withFalseAges(sim: Simulator): Promise<Liar['offers']> {
  const [first] = await survey(sim)
  const members = [...(first?.snapshot.membership.values() ?? [])]
  return members.map(member => ({ ...member, ageMilliseconds: 30 * 24 * 3600 * 1000 }))
}

export const impostor: Story = {
  name: 'impostor',
  about:
    'words under a node’s own signature that it did not say, as a cloned disk makes them: outbid, and told',
  nodes: 5,
  async tell(sim, size) {
    const all = await settledMesh(sim, size)
    const cloned = sim.chance.pick(all)
    const clone = new Liar(
      sim,
      'clone',
      sim.machines.map(({ node }) => node),
    )
    await sim.run({ seconds: 10 })
    const truth = await wordOf(sim, cloned)
    for (let word = 0; word < 5; word += 1) {
      const { sequence } = await wordOf(sim, cloned)
      const counter = sequence.counter + 1000
      const said = { ...truth, sequence: { ...sequence, counter }, endpoints: [] }
      const envelope = sealFake(truth.node, encodeAnnouncement(said))
      await clone.replay(envelope)
      await sim.run({ seconds: 5 })
    }
    const { problems } = await sim.look(() => sim.at(cloned).daemon.snapshot())
    assert.ok(
      problems.some(({ code }) => code === 'identity-in-use'),
      'it does not say that its identity is in use',
    )
    await sim.run({ seconds: 300 })
    return { 'whole after': await untilHealed(sim, 60) }
  },
}

/** The entries of all honest nodes about each other: keys, endpoints, VTEPs, MACs, certified addresses. */
export async function honestKernels(sim: Simulator) {
  const keys = new Set(sim.machines.map(({ publicKey }) => publicKey as string))
  const macs = new Set(
    sim.machines.flatMap(({ kernel }) => kernel.state.segments.map(({ mac }) => mac as string)),
  )
  return (await survey(sim)).map(({ machine, state }) => ({
    name: machine.name,
    addresses: [state.tunnel?.addresses, state.segments.map(({ addresses }) => addresses)],
    peers: state.tunnel?.peers
      .filter(({ publicKey }) => keys.has(publicKey))
      .map(({ publicKey, endpoint }) => [publicKey, endpoint]),
    entries: state.segments.map(({ unicast, neighbours }) => [
      unicast.filter(({ mac }) => macs.has(mac)),
      neighbours.filter(({ mac }) => macs.has(mac)),
    ]),
  }))
}

export async function wordOf(sim: Simulator, name: string): Promise<Announcement> {
  const { self } = await sim.look(() => sim.at(name).daemon.snapshot())
  assert.ok(self !== null)
  return self
}

/** What `status` says a member does that no lnetd does; nothing when it says nothing. */
export function accusation(snapshot: Snapshot, node: NodeId): string {
  const found = accusedBy(snapshot).find(({ what }) => what.includes(node))
  return found === undefined ? '' : sentenceOf(found)
}

function accusedBy({ problems }: Snapshot): Snapshot['problems'] {
  return problems.filter(({ code }) => code === 'member-misbehaves')
}

async function refusedAnywhere(sim: Simulator): Promise<string> {
  const reasons = new Set((await survey(sim)).flatMap(({ snapshot }) => [...snapshot.refused.keys()]))
  return [...reasons].sort().join(' ')
}
