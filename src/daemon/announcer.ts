import type { Cancel } from '../host/clock.ts'
import { encodeAnnouncement } from '../mesh/codec.ts'
import { compose, saysTheSame } from '../mesh/compose.ts'
import type { Announcement } from '../model/announcement.ts'
import { impostorMilliseconds, impostorsMax, sequenceNumberMax } from '../model/limits.ts'
import { compareSequence, type Sequence } from '../model/node.ts'
import type { Declarer } from './declarer.ts'
import type { Journal } from './journal.ts'
import type { DaemonParts } from './parts.ts'
import { ownMember, type State } from './state.ts'

/** Says what this node is: when that changed, and as a heartbeat. */
export interface Announcer {
  /** Speaks if what we would say is not what we said last. */
  update(): Promise<void>
  /** Somebody spoke with our id and a number we never reached: outbid it. */
  refute(heard: Sequence): Promise<void>
  farewell(): Promise<void>
  stop(): void
}

export function createAnnouncer(
  parts: DaemonParts,
  state: State,
  journal: Journal,
  declarer: Declarer,
): Announcer {
  const { clock, log } = parts
  let heartbeat: Cancel | null = null
  let stopped = false
  /** The highest number an impostor was heard to use. */
  let impostor: Sequence | null = null
  /** One word at a time, so that numbers go out in their order. */
  let turn: Promise<void> = Promise.resolve()

  function inTurn(action: () => Promise<void>): Promise<void> {
    turn = turn.then(() => (stopped ? undefined : action()))
    return turn
  }

  function composeNow(): Announcement | null {
    const { node, publicKey, software } = parts
    const { configuration, facts, claims, membership, sequence } = state
    return compose({ node, publicKey, software }, sequence, configuration, facts, claims, membership.size)
  }

  async function update(): Promise<void> {
    await updateOwn()
    await declarer.update()
  }

  async function updateOwn(): Promise<void> {
    const announcement = composeNow()
    if (announcement === null || state.gossip === null) return
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
    state.own = ownMember(numbered, envelope, clock.now())
    scheduleHeartbeat(numbered.heartbeatSeconds)
    await gossip.publish(envelope)
  }

  /** Spread out, and never later than the announcement promised. */
  function scheduleHeartbeat(seconds: number): void {
    heartbeat?.()
    heartbeat = clock.setTimer(seconds * 1000 * (0.8 + 0.2 * clock.random()), () => void inTurn(beat))
  }

  async function beat(): Promise<void> {
    const announcement = composeNow()
    if (announcement === null) return
    await declarer.update()
    await speak(announcement)
    log.debug('announcement.spoken', { ...state.sequence })
  }

  async function refute(heard: Sequence): Promise<void> {
    if (compareSequence(heard, state.sequence) <= 0) return
    noteImpostor(heard)
    if (state.impostorsAt.length >= impostorsMax || heard.incarnation >= sequenceNumberMax) return
    state.sequence = { incarnation: heard.incarnation + 1, counter: 0 }
    log.warn('identity.outbid', { ...heard })
    await journal.saveState()
    await beat()
  }

  /** A copy of what it said before is no new word: so its last one is outbid some time after it fell silent. */
  function noteImpostor(heard: Sequence): void {
    const now = clock.now()
    const recent = state.impostorsAt.filter(at => now - at < impostorMilliseconds)
    const isNew = impostor === null || compareSequence(heard, impostor) > 0
    if (isNew) impostor = heard
    state.impostorsAt = isNew ? [...recent, now].slice(-impostorsMax) : recent
  }

  async function farewell(): Promise<void> {
    await declarer.farewell()
    const announcement = composeNow()
    if (announcement !== null)
      await speak({ ...announcement, endpoints: [], gossip: [], segments: [], left: true })
  }

  return {
    update: () => inTurn(update),
    refute: heard => inTurn(() => refute(heard)),
    farewell: () => inTurn(farewell),
    stop() {
      stopped = true
      heartbeat?.()
    },
  }
}
