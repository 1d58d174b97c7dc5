import assert from 'node:assert/strict'
import { peersView } from '../../../src/control/views.ts'
import { hearsaySeconds } from '../../../src/model/limits.ts'
import { expectHealed, survey } from '../checks.ts'
import { Liar } from '../liar.ts'
import type { Simulator } from '../simulator.ts'
import type { Story } from '../story.ts'
import { silentAfterSeconds } from '../until.ts'
import { settledMesh } from './formation.ts'

export const hearsay: Story = {
  name: 'hearsay',
  about: 'a newcomer that is told the last words of a dead member as new does not take it for alive',
  nodes: 6,
  async tell(sim, size) {
    const [dead = '', ...others] = await settledMesh(sim, size)
    sim.powerOff(dead)
    await sim.run({ seconds: silentAfterSeconds(size) + 60 })
    const liar = new Liar(
      sim,
      'liar',
      sim.machines.map(({ node }) => node),
    )
    liar.offers = await asJustSpoken(sim)
    sim.node('late', { bootstrap: 'liar' })
    await sim.run({ seconds: hearsaySeconds + 15 })
    assert.equal(await gossipOf(sim, 'late', dead), 'silent', `${dead} lives on the newcomer`)
    for (const name of others)
      assert.equal(await gossipOf(sim, 'late', name), 'live', `${name} is dead on the newcomer`)
    const envelope = sim.sealed.get(sim.at(dead).node)?.at(-1)
    if (envelope !== undefined) await liar.replay(envelope)
    await sim.run({ seconds: hearsaySeconds })
    for (const name of [...others, 'late'])
      assert.equal(await gossipOf(sim, name, dead), 'silent', `${dead} lives on ${name}`)
    await sim.run({ seconds: silentAfterSeconds(size) })
    await expectHealed(sim)
    return {}
  },
}

async function asJustSpoken(sim: Simulator): Promise<Liar['offers']> {
  const [first] = await survey(sim)
  const members = [...(first?.snapshot.membership.values() ?? [])]
  return members.map(member => ({ ...member, ageMilliseconds: 0 }))
}

async function gossipOf(sim: Simulator, on: string, name: string): Promise<string | undefined> {
  const [sight] = await survey(sim, [sim.at(on)])
  if (sight === undefined) throw new Error(`${on} does not run`)
  return peersView(sight.snapshot).peers.find(peer => peer.node === sim.at(name).node)?.gossip
}
