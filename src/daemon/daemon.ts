import type { ControlSource, Snapshot } from '../control/snapshot.ts'
import type { Closeable } from '../kernel/port.ts'
import type { Configuration } from '../model/configuration.ts'
import { noFacts } from '../model/facts.ts'
import { type Failure, failed, ok, type Result } from '../model/failure.ts'
import { farewellMilliseconds } from '../model/limits.ts'
import { createAnnouncer } from './announcer.ts'
import { createDeclarer } from './declarer.ts'
import { createForgetter } from './forgetter.ts'
import { createGossipPaths } from './gossip-paths.ts'
import { createHealth } from './health.ts'
import { createJournal } from './journal.ts'
import { createListener } from './listener.ts'
import { failureFields } from './log-fields.ts'
import { createLooker } from './looker.ts'
import { createLoopKeeper } from './loops.ts'
import { createNamer } from './namer.ts'
import type { DaemonParts } from './parts.ts'
import { createPathBook } from './path-book.ts'
import { watchProgress } from './progress.ts'
import { recall } from './recall.ts'
import { createReconciler } from './reconciler.ts'
import { createReunion } from './reunion.ts'
import { snapshotOf } from './snapshot.ts'
import { newState, type State } from './state.ts'
import { takeAway } from './take-away.ts'
import { createTrialWatch } from './trial-watch.ts'
import { createWitness } from './witness.ts'

export interface Daemon extends Omit<ControlSource, 'events'> {
  /** Ok once it listens and speaks, and has done to the kernel what it could. A failure left the kernel untouched. */
  start(): Promise<Result<void>>
  /** Ends the daemon and leaves the data plane as it is. */
  stop(): Promise<void>
  /** Something outside changed that a decision depends on. */
  look(): void
  /** Takes over what can change live. */
  reconfigure(configuration: Configuration): void
  /** Resolves when `down` or `leave` took the data plane away. */
  readonly ended: Promise<void>
}

/** Wires the stories together: facts out, word in and kernel follows, question in and view out. */
export function createDaemon(parts: DaemonParts): Daemon {
  const { clock, kernel, log } = parts
  const state: State = newState(parts, parts.facts(new Set()) ?? noFacts)
  const journal = createJournal(parts, state)
  const declarer = createDeclarer(parts, state, membersChanged)
  const announcer = createAnnouncer(parts, state, journal, declarer, () => {
    reconciler.mark()
    return reconciler.idle()
  })
  const looker = createLooker(parts, state)
  const reconciler = createReconciler(parts, state, looker, {
    async claimsChanged() {
      await journal.saveState()
      void announcer.update()
    },
    recordsChanged: journal.recordsChanged,
    endpointsSet: () => witness.endpointsSet(),
    looked() {
      witness.looked()
      trials.looked()
      loops.looked()
      namer.looked()
      health.tell()
    },
  })
  const witness = createWitness(parts, state, {
    ...{ mark: reconciler.mark, drifted: reconciler.drifted },
    announce: () => void announcer.update(),
  })
  const trials = createTrialWatch(parts, state, reconciler.mark)
  const loops = createLoopKeeper(parts, state, reconciler.mark)
  const namer = createNamer(parts, state)
  const reunion = createReunion(parts, state, reconciler.mark)
  const noteGossipPaths = createGossipPaths(parts, state, () => witness.underlayChanged('underlay'))
  const listener = createListener(parts, state, {
    membersChanged,
    ownHeard: (announcement, envelope) => void announcer.refute(announcement, envelope),
    twinMet: at => announcer.meet(at),
    synced: reconciler.mark,
    met: reunion.met,
    neighboursChanged() {
      noteGossipPaths()
      reunion.neighboursChanged()
    },
  })
  const health = createHealth(parts, state)
  const paths = createPathBook(parts, state)
  const endProgress = watchProgress(clock, state)
  const ended = Promise.withResolvers<void>()
  let watching: Closeable | null = null
  let stopping: Promise<void> | null = null

  function membersChanged(): void {
    journal.membersChanged()
    reconciler.mark()
  }

  async function start(): Promise<Result<void>> {
    const foreign = await refuseForeign()
    if (!foreign.ok) return foreign
    if (!(await journal.saveState()))
      return failed(state.saveFailure?.what ?? 'the state cannot be saved', state.saveFailure ?? {})
    const gossip = await parts.startGossip(listener)
    if (!gossip.ok) return gossip
    state.gossip = gossip.value
    await recall(parts, state, listener)
    reconciler.mark()
    await announcer.update()
    await reconciler.idle()
    watch()
    return ok(undefined)
  }

  /** Only then: monitors take as long to start as all tools of the first plan, and others wait for that. */
  function watch(): void {
    if (stopping !== null) return
    watching = kernel.watch(e => (e === 'ours' ? reconciler.drifted() : witness.underlayChanged(e)))
    // What changed before is looked for.
    reconciler.drifted()
  }

  async function refuseForeign(): Promise<Result<void>> {
    const observed = await looker.look()
    if (!observed.ok) return observed
    state.observation = observed.value
    const [device] = observed.value.foreign
    if (device === undefined) return ok(undefined)
    return failed(`${device.interface} is ${device.what}, not lnet's`, {
      remedy: 'remove or rename it, or set another interface name in the configuration',
    })
  }

  function stop(): Promise<void> {
    stopping ??= stopAll()
    return stopping
  }

  async function stopAll(): Promise<void> {
    endProgress()
    announcer.stop()
    witness.stop()
    trials.stop()
    loops.stop()
    watching?.close()
    await reconciler.stop()
    await journal.saveMembers()
    journal.stop()
    await state.gossip?.stop()
  }

  async function down(): Promise<readonly Failure[]> {
    loops.leave()
    await stop()
    await namer.end()
    const failures = await takeAway(kernel, state.configuration.tunnel.interface)
    for (const failure of failures) log.error('down.failed', failureFields(failure))
    log.info('down.done')
    ended.resolve()
    return failures
  }

  async function leave(): Promise<readonly Failure[]> {
    await announcer.farewell()
    await new Promise<void>(resolve => clock.setTimer(farewellMilliseconds, resolve))
    return down()
  }

  async function snapshot(): Promise<Snapshot> {
    await witness.read()
    await paths.refresh()
    return snapshotOf(parts, state, health.problems(), paths.answers())
  }

  function reconfigure(configuration: Configuration): void {
    state.configuration = configuration
    witness.reconfigured()
    reconciler.mark()
    void announcer.update()
  }

  return {
    start,
    stop,
    look: reconciler.mark,
    reconfigure,
    ended: ended.promise,
    snapshot,
    plan: reconciler.plan,
    ...{ down, leave, forget: createForgetter(parts, state, journal, membersChanged) },
  }
}
