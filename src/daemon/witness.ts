import type { Cancel } from '../host/clock.ts'
import { isMetAgain } from '../mesh/endpoint.ts'
import { isUnproven, observeTunnel, tunnelLiveness } from '../mesh/liveness.ts'
import { forget } from '../mesh/membership.ts'
import {
  driftDebounceMilliseconds,
  observeSeconds,
  sleepSecondsMin,
  suspectLookMilliseconds,
} from '../model/limits.ts'
import type { NodeId } from '../model/node.ts'
import { createAsker } from './asker.ts'
import { createInquiry } from './inquiry.ts'
import type { DaemonParts } from './parts.ts'
import type { State } from './state.ts'
import { createTunnelNews } from './tunnel-news.ts'

/** Watches what changes by itself: this machine's own addresses, tunnels that rise and fall, time that passes. */
export interface Witness {
  underlayChanged(): void
  /** WireGuard sends from where this machine is now, and every tunnel waits for a sign of life. */
  endpointsSet(): void
  /** A node answered gossip: its tunnel should carry too. */
  met(node: NodeId): void
  neighboursChanged(): void
  /** Other gateways may be wanted. */
  reconfigured(): void
  /** The kernel was looked at. */
  looked(): void
  /** Reads WireGuard's counters between two looks; who asks meanwhile has the same reading. */
  read(): Promise<void>
  stop(): void
}

export interface WitnessEvents {
  mark(): void
  announce(): void
}

export function createWitness(parts: DaemonParts, state: State, events: WitnessEvents): Witness {
  const { clock, kernel, log } = parts
  const news = createTunnelNews(parts, state)
  const asker = createAsker(parts, state, events.mark)
  const inquiry = createInquiry(parts, state)
  let pending: Cancel | null = null
  let tick: Cancel | null = null
  let suspecting: Cancel | null = null
  let reading: Promise<void> | null = null
  let doubting: Cancel | null = null
  /** There were neighbours, and there are none. */
  let alone = false
  /** When the last tick was. */
  let tickedSeconds = clock.uptimeSeconds()

  function refreshFacts(): void {
    pending = null
    const before = state.facts
    state.facts = parts.facts() ?? before
    if (JSON.stringify(before) === JSON.stringify(state.facts)) return
    log.info('underlay.changed', { addresses: state.facts.addresses.map(({ address }) => address) })
    state.gossip?.redial()
    state.moved = true
    events.mark()
    events.announce()
  }

  function scheduleTick(): void {
    tick = clock.setTimer(observeSeconds * 1000, () => {
      scheduleTick()
      noteSleep()
      refreshFacts()
      forgetOld()
    })
  }

  /** What came in meanwhile has to be read first: it is no sign of life. */
  function noteSleep(): void {
    const before = tickedSeconds
    tickedSeconds = clock.uptimeSeconds()
    const seconds = tickedSeconds - before
    if (seconds < observeSeconds + sleepSecondsMin) return
    log.info('machine.woke', { seconds: Math.round(seconds) })
    state.gossip?.redial()
    doubting ??= clock.setTimer(driftDebounceMilliseconds, () => {
      doubting = null
      state.inDoubt = true
      events.mark()
    })
  }

  function forgetOld(): void {
    const before = state.membership
    state.membership = forget(before, clock.now(), state.configuration.forgetAfterSeconds)
    if (state.membership === before) return
    for (const { announcement } of before.values()) {
      if (state.membership.has(announcement.node)) continue
      state.unanswered.delete(announcement.node)
      log.info('member.forgotten', { member: announcement.node, name: announcement.name })
    }
    events.mark()
  }

  function met(node: NodeId): void {
    const publicKey = state.membership.get(node)?.announcement.publicKey
    const before = publicKey === undefined ? undefined : state.tracks.get(publicKey)
    if (before === undefined) return
    const track = { ...before, metAt: clock.now() }
    state.tracks = new Map([...state.tracks, [track.publicKey, track]])
    if (isMetAgain(track, parts.publicKey)) events.mark()
  }

  /** Who was alone and is no longer is back, though no interface may have told: a cable behind a switch, a router. */
  function neighboursChanged(): void {
    const neighbours = state.gossip?.neighbours().length ?? 0
    log.debug('neighbours.changed', { neighbours })
    const wasAlone = alone
    alone = neighbours === 0
    if (!wasAlone || alone) return
    state.gossip?.redial()
    if (![...state.tracks.values()].some(track => tunnelLiveness(track, clock.now()) !== 'up')) return
    state.moved = true
    events.mark()
  }

  function looked(): void {
    tellNews()
    if (inquiry.looked()) hurry()
    tellGateway()
  }

  /** Others leave by us only when the kernel is ready. */
  function tellGateway(): void {
    const isReady = state.observation?.state.gateway?.forwards === true
    if (state.own !== null && isReady !== (state.own.announcement.gateway !== null)) events.announce()
  }

  /**
   * The other side learns by a word that a tunnel carries again, or still does. Whoever has our session answers it; the
   * others' tunnels are made anew soon.
   */
  function tellNews(): void {
    const now = clock.now()
    const unproven = [...state.membership.values()].filter(({ announcement }) => {
      const track = state.tracks.get(announcement.publicKey)
      return track !== undefined && isUnproven(track, now)
    })
    const told = new Set([...news.tell(), ...unproven])
    kernel.speak(Array.from(told, ({ announcement }) => announcement.vtep))
  }

  /** Looks again soon, whatever comes of it. */
  function hurry(): void {
    suspecting ??= clock.setTimer(suspectLookMilliseconds, () => {
      suspecting = null
      events.mark()
    })
  }

  async function readNow(): Promise<void> {
    if (state.observation === null) return
    const seen = await kernel.glance(state.observation)
    if (!seen.ok) return
    const tracks = new Map(state.tracks)
    const now = clock.now()
    for (const reading of seen.value.readings) {
      const track = tracks.get(reading.publicKey)
      if (track !== undefined)
        tracks.set(reading.publicKey, observeTunnel(track, reading, now, clock.wallSeconds()))
    }
    state.tracks = tracks
    tellNews()
  }

  scheduleTick()
  return {
    underlayChanged() {
      pending ??= clock.setTimer(driftDebounceMilliseconds, refreshFacts)
    },
    // Whoever hears us from the new address roams to it; without a word WireGuard waits for its next keepalive.
    endpointsSet: () =>
      kernel.speak([...state.membership.values()].map(({ announcement }) => announcement.vtep)),
    met,
    neighboursChanged,
    reconfigured: asker.update,
    looked,
    read() {
      reading ??= readNow().finally(() => {
        reading = null
      })
      return reading
    },
    stop() {
      asker.stop()
      pending?.()
      tick?.()
      suspecting?.()
      doubting?.()
    },
  }
}
