import type { Cancel } from '../host/clock.ts'
import { encodeAnnouncement } from '../mesh/codec.ts'
import { compose, nextHeartbeatAt, type Spoken, saysTheSame } from '../mesh/compose.ts'
import {
  afterProbe,
  firstSequence,
  hearImpostor,
  type Impostor,
  isIdentityInUse,
  mayReply,
  meetImpostor,
  outlive,
} from '../mesh/identity.ts'
import { countedMembers } from '../mesh/proof.ts'
import type { Endpoint } from '../model/address.ts'
import type { Announcement, Envelope } from '../model/announcement.ts'
import { impostorEchoSeconds, impostorProbeSeconds, sequenceNumberMax } from '../model/limits.ts'
import { compareSequence, type Sequence } from '../model/node.ts'
import type { Declarer } from './declarer.ts'
import type { Journal } from './journal.ts'
import type { DaemonParts } from './parts.ts'
import { readiness } from './readiness.ts'
import { ownMember, type State } from './state.ts'

/** Says what this node is: when that changed, and as a heartbeat. */
export interface Announcer {
  /** Speaks if what we would say is not what we said last. */
  update(): Promise<void>
  /** A word with our id; when its number is one we never reached, somebody else's: outbid it, or give way. */
  refute(heard: Announcement, envelope: Envelope): Promise<void>
  /** Another machine proved to have our key, though nobody was there to hear it speak. */
  meet(at: Endpoint): void
  farewell(): Promise<void>
  stop(): void
}

export function createAnnouncer(
  parts: DaemonParts,
  state: State,
  journal: Journal,
  declarer: Declarer,
  /** Resolves when the kernel is as it then has to be, or its failure waits for another try. */
  identityChanged: () => Promise<void>,
): Announcer {
  const { clock, log } = parts
  let heartbeat: Cancel | null = null
  let dueAt: number | null = null
  let probing: Cancel | null = null
  let stopped = false
  /** One word at a time, so that numbers go out in their order. */
  let turn: Promise<void> = Promise.resolve()

  function inTurn(action: () => Promise<void>): Promise<void> {
    turn = turn.then(() => (stopped ? undefined : action()))
    return turn
  }

  function composeNow(): Announcement | null {
    return state.impostor.yielding ? state.impostor.said : ownFacts()
  }

  function ownFacts(): Announcement | null {
    const { node, publicKey, software } = parts
    const { configuration, facts, claims, membership, sequence } = state
    const self = { node, publicKey, software }
    const members = countedMembers(membership, state.proofs)
    return compose(self, sequence, configuration, facts, claims, members, readiness(state.observation))
  }

  async function update(): Promise<void> {
    await updateOwn()
    if (!state.impostor.yielding) await declarer.update()
  }

  async function updateOwn(): Promise<void> {
    const announcement = ownFacts()
    if (announcement === null || state.gossip === null || state.impostor.yielding) return
    if (state.own !== null && saysTheSame(announcement, state.own.announcement)) return
    await speak(announcement)
    log.debug('announcement.published', { ...state.sequence })
  }

  async function speak(announcement: Announcement): Promise<void> {
    const { gossip } = state
    if (gossip === null) return
    state.sequence = { ...state.sequence, counter: state.sequence.counter + 1 }
    const numbered = { ...announcement, sequence: state.sequence }
    const envelope = await gossip.seal(encodeAnnouncement(numbered))
    const secondsBefore = state.own?.announcement.heartbeatSeconds ?? null
    state.own = ownMember(numbered, envelope, clock.now())
    const intervalSeconds = state.impostor.yielding ? impostorEchoSeconds : numbered.heartbeatSeconds
    scheduleHeartbeat({ now: clock.now(), intervalSeconds, secondsBefore, dueAt })
    await gossip.publish(envelope)
  }

  function scheduleHeartbeat(spoken: Spoken): void {
    heartbeat?.()
    dueAt = nextHeartbeatAt(spoken, clock.random())
    heartbeat = clock.setTimer(dueAt - spoken.now, () => {
      dueAt = null
      void inTurn(beat)
    })
  }

  async function beat(): Promise<void> {
    const before = state.impostor
    state.impostor = outlive(before, clock.now())
    const { said } = state.impostor
    if (state.impostor !== before && said !== null) noteChange(before, said.sequence)
    const announcement = composeNow()
    if (announcement === null) return
    if (said !== null && compareSequence(said.sequence, state.sequence) > 0) await outbid(said.sequence)
    if (!state.impostor.yielding) await declarer.update()
    await speak(announcement)
    log.debug('announcement.spoken', { ...state.sequence })
  }

  async function refute(heard: Announcement, envelope: Envelope): Promise<void> {
    const { sequence } = heard
    if (compareSequence(sequence, state.sequence) <= 0 || sequence.incarnation >= sequenceNumberMax) return
    const before = state.impostor
    state.impostor = hearImpostor(before, heard, ownFacts(), state.startedAt, clock.now())
    if (state.impostor === before) return
    noteChange(before, sequence)
    // What everyone has of this id is the other's word: here as well, so that all sets are equal.
    if (state.impostor.yielding) state.own = ownMember(heard, envelope, clock.now())
    else if (mayReply(state.impostor, clock.now())) {
      log.warn('identity.outbid', { ...sequence })
      await outbid(sequence)
      await beat()
    }
  }

  function meet(at: Endpoint): void {
    const before = state.impostor
    state.impostor = meetImpostor(before, at, clock.now())
    if (!isIdentityInUse(before, clock.now())) log.warn('identity.met', { place: at })
  }

  /** Above an impostor's number, written down before it is used. */
  async function outbid({ incarnation }: Sequence): Promise<void> {
    state.sequence = firstSequence(incarnation + 1, clock.random())
    await journal.saveState()
  }

  function noteChange(before: Impostor, heard: Sequence): void {
    const { yielding, bidsAt } = state.impostor
    const hadBids = before.bidsAt.length > 0 || bidsAt.length > 0
    if (hadBids && !yielding) state.inDoubt = true
    const changed = identityChanged()
    if (yielding && !before.yielding) {
      log.error('identity.yielded', { ...heard })
      // The other's tunnels work from the moment ours are closed: it is told then.
      void changed.then(() => inTurn(beat))
      scheduleProbe()
    }
    if (before.yielding && !yielding) log.info('identity.resumed')
  }

  function scheduleProbe(): void {
    probing?.()
    probing = clock.setTimer(impostorProbeSeconds * 1000, () => void probe())
  }

  /** Looks for the other one at its own place, for as long as we leave the identity to it. */
  async function probe(): Promise<void> {
    const answer = await state.gossip?.lookForTwin(state.impostor.said?.gossip ?? [])
    await inTurn(async () => {
      const before = state.impostor
      state.impostor = afterProbe(before, answer ?? 'silence')
      if (state.impostor.yielding) return scheduleProbe()
      if (!before.yielding || before.said === null) return
      noteChange(before, before.said.sequence)
      await beat()
    })
  }

  async function farewell(): Promise<void> {
    await declarer.farewell()
    const announcement = composeNow()
    if (announcement !== null)
      await speak({ ...announcement, endpoints: [], gossip: [], segments: [], gateway: null, left: true })
  }

  return {
    update: () => inTurn(update),
    refute: (heard, envelope) => inTurn(() => refute(heard, envelope)),
    meet,
    farewell: () => inTurn(farewell),
    stop() {
      stopped = true
      heartbeat?.()
      probing?.()
    },
  }
}
