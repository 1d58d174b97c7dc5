import type { Cancel } from '../host/clock.ts'
import type { KernelEvent } from '../kernel/port.ts'
import { hasFirstHandshake } from '../mesh/awaited.ts'
import { isUnproven, observeTunnel } from '../mesh/liveness.ts'
import { forget } from '../mesh/membership.ts'
import { isProven, proofsOf } from '../mesh/proof.ts'
import type { Facts } from '../model/facts.ts'
import {
  driftDebounceMilliseconds,
  factsTicks,
  observeSeconds,
  sleepSecondsMin,
  suspectLookMilliseconds,
} from '../model/limits.ts'
import { createAsker } from './asker.ts'
import { createInquiry } from './inquiry.ts'
import { createOverlapNews } from './overlap-problems.ts'
import type { DaemonParts } from './parts.ts'
import { hasNewReadiness } from './readiness.ts'
import { createSilenceNews } from './silence-news.ts'
import type { State } from './state.ts'
import { createTunnelNews } from './tunnel-news.ts'

/** Watches what changes by itself: this machine's own addresses, tunnels that rise and fall, time that passes. */
export interface Witness {
  underlayChanged(event: Exclude<KernelEvent, 'ours'>): void
  /** WireGuard sends from where this machine is now, and every tunnel waits for a sign of life. */
  endpointsSet(): void
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
  drifted(): void
  announce(): void
}

export function createWitness(parts: DaemonParts, state: State, events: WitnessEvents): Witness {
  const { clock, kernel, log } = parts
  const news = createTunnelNews(parts, state)
  const silence = createSilenceNews(parts, state)
  const asker = createAsker(parts, state, events.mark)
  const inquiry = createInquiry(parts, state)
  const tellRefused = createOverlapNews(parts, state, readFactsSoon)
  let pending: Cancel | null = null
  let tick: Cancel | null = null
  let suspecting: Cancel | null = null
  let reading: Promise<void> | null = null
  let doubting: Cancel | null = null
  let tickedSeconds = clock.uptimeSeconds()
  let ticks = 0

  function refreshFacts(): void {
    pending = null
    const before = state.facts
    state.facts = parts.facts(state.gossipSources) ?? before
    if (JSON.stringify(before) === JSON.stringify(state.facts)) return
    log.info('underlay.changed', { addresses: state.facts.addresses.map(({ address }) => address) })
    if (isElsewhere(before, state.facts)) {
      state.gossip?.redial()
      state.moved = true
    }
    events.mark()
    events.announce()
  }

  function readFactsSoon(): void {
    pending ??= clock.setTimer(driftDebounceMilliseconds, refreshFacts)
  }

  function scheduleTick(): void {
    tick = clock.setTimer(observeSeconds * 1000, () => {
      scheduleTick()
      ticks += 1
      // Changes are events; this is for those that were missed, as while the machine slept.
      if (noteSleep() || ticks % factsTicks === 0) refreshFacts()
      forgetOld()
      silence.tell()
    })
  }

  /** True when this machine slept. What came in meanwhile has to be read first: it is no sign of life. */
  function noteSleep(): boolean {
    const before = tickedSeconds
    tickedSeconds = clock.uptimeSeconds()
    const seconds = tickedSeconds - before
    if (seconds < observeSeconds + sleepSecondsMin) return false
    log.info('machine.woke', { seconds: Math.round(seconds) })
    state.gossip?.redial()
    doubting ??= clock.setTimer(driftDebounceMilliseconds, () => {
      doubting = null
      state.inDoubt = true
      events.mark()
    })
    return true
  }

  function forgetOld(): void {
    const before = state.membership
    state.membership = forget(before, clock.now(), state.configuration.forgetAfterSeconds)
    if (state.membership === before) return
    state.proofs = proofsOf(state.proofs, node => state.membership.has(node) || state.recalled.has(node))
    for (const { announcement } of before.values()) {
      if (state.membership.has(announcement.node)) continue
      state.unanswered.delete(announcement.node)
      log.info('member.forgotten', { member: announcement.node, name: announcement.name })
    }
    events.mark()
  }

  function looked(): void {
    tellNews()
    if (inquiry.looked()) hurry()
    tellReadiness()
    tellRefused()
  }

  /** Others leave by us, and drop what is not from a privileged port, only when the kernel is ready. */
  function tellReadiness(): void {
    if (hasNewReadiness(state)) events.announce()
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
    kernel.speak(Array.from(new Set([...news.tell(), ...unproven]), ({ announcement }) => announcement.vtep))
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
    for (const reading of seen.value.readings) {
      const track = tracks.get(reading.publicKey)
      if (track !== undefined)
        tracks.set(reading.publicKey, observeTunnel(track, reading, clock.now(), clock.wallSeconds()))
    }
    state.tracks = tracks
    if (hasFirstHandshake(state.observation.readings, seen.value.readings)) events.mark()
    tellNews()
  }

  scheduleTick()
  return {
    underlayChanged(event) {
      readFactsSoon()
      // What is in the way may be over: a device that goes down takes its routes along without a word.
      if (event === 'overlap' || state.overlaps.length > 0) events.drifted()
    },
    // Whoever hears us from the new address roams to it; without a word WireGuard waits for its next keepalive.
    endpointsSet() {
      const proven = [...state.membership.values()].filter(member => isProven(member, state.proofs))
      kernel.speak(proven.map(({ announcement }) => announcement.vtep))
    },
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

/** Other addresses or other default routes: more than another order of the same. */
function isElsewhere(before: Facts, after: Facts): boolean {
  const places = ({ addresses, ...rest }: Facts) =>
    JSON.stringify([Array.from(addresses, address => JSON.stringify(address)).sort(), rest])
  return places(before) !== places(after)
}
