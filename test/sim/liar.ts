import type { Gossip } from '../../src/gossip/port.ts'
import { encodeAnnouncement } from '../../src/mesh/codec.ts'
import { digestOf, hashDigest, type SyncedEnvelope } from '../../src/mesh/sync.ts'
import type { Announcement, Envelope } from '../../src/model/announcement.ts'
import type { Member } from '../../src/model/member.ts'
import type { NodeId } from '../../src/model/node.ts'
import { sealFake } from '../fake/gossip.ts'
import { nodeIdOf } from './nodes.ts'
import type { Simulator } from './simulator.ts'

/** A member with the mesh secret that says what it likes, to the topic and by sync; it listens like anyone. */
export class Liar {
  readonly node: NodeId
  /** What it heard, the last word of each. */
  readonly heard = new Map<NodeId, Envelope>()
  /** What it offers whoever syncs with it, and how old it says that is. */
  offers: readonly (Member & { readonly ageMilliseconds: number })[] = []
  readonly #gossip: Gossip

  constructor(sim: Simulator, name: string, victims: readonly NodeId[]) {
    this.node = nodeIdOf(sim.seed, name)
    this.#gossip = sim.network.join(
      this.node,
      {
        announced: (envelope, { author }) => {
          this.heard.set(author, envelope)
          return { kind: 'accept' }
        },
        refused: () => undefined,
        sync: {
          setHash: () => hashDigest(digestOf(this.offers)),
          digest: () => digestOf(this.offers),
          envelopes: nodes =>
            this.offers.filter(({ announcement }) => nodes.includes(announcement.node)).map(asSynced),
          admit: entries => {
            for (const { envelope, opened } of entries) this.heard.set(opened.author, envelope)
          },
        },
        candidates: () => victims.map(node => ({ node, addresses: [], wanted: true })),
        twinMet: () => undefined,
        neighboursChanged: () => undefined,
        synced: () => undefined,
      },
      victims,
    )
  }

  /** Says something under its own signature, about whomever. */
  async say(announcement: Announcement): Promise<void> {
    await this.#gossip.publish(sealFake(this.node, encodeAnnouncement(announcement)))
  }

  /** Says again, to all, what somebody really said once. */
  async replay(envelope: Envelope): Promise<void> {
    await this.#gossip.publish(envelope)
  }
}

function asSynced({ envelope, ageMilliseconds }: Liar['offers'][number]): SyncedEnvelope {
  return { envelope, ageMilliseconds }
}
