import type { Cancel } from '../host/clock.ts'
import type { HeardProbe, ProbeWire } from '../kernel/port.ts'
import type { LoopRisk } from '../mesh/bridge.ts'
import { tunnelLiveness } from '../mesh/liveness.ts'
import {
  followLoop,
  isJoined,
  keptOut,
  type LoopTrack,
  newLoopTrack,
  noteAnswer,
  noteProbe,
  silentHindrances,
} from '../mesh/loop.ts'
import type { Standing } from '../mesh/loop-probe.ts'
import { loopFarewells, loopProbeMilliseconds } from '../model/limits.ts'
import type { NodeId } from '../model/node.ts'
import type { Vni } from '../model/segment.ts'
import type { DaemonParts } from './parts.ts'
import { risksOf } from './situation.ts'
import type { State } from './state.ts'

/** Finds out where a segment and a cable make a loop. Says nothing, and has no timer, where none can be made. */
export interface LoopKeeper {
  /** The kernel was looked at. */
  looked(): void
  /** The segments are about to be taken away. */
  leave(): void
  stop(): void
}

/** `changed`: a segment has to leave its bridge, or may go into it. */
export function createLoopKeeper(parts: DaemonParts, state: State, changed: () => void): LoopKeeper {
  const { clock, kernel, node } = parts
  let wire: ProbeWire | null = null
  let timer: Cancel | null = null
  let said = 0
  let stopped = false
  /** The segments that were out when it was last told. */
  let told = ''
  /** Where we said that we are there. */
  let spoken: readonly LoopRisk[] = []
  const asking = new Set<NodeId>()

  function looked(): void {
    const risks = watchedRisks(state)
    const known = new Set(risks.map(({ segment }) => segment.vni))
    if (risks.some(({ segment }) => !state.loops.has(segment.vni)) || known.size < state.loops.size)
      state.loops = new Map(
        [...known].map(vni => [vni, state.loops.get(vni) ?? newLoopTrack(clock.now())] as const),
      )
    part(risks)
    if (risks.length === 0) silence()
    else if (!stopped) timer ??= clock.setTimer(loopProbeMilliseconds, next)
  }

  function next(): void {
    timer = clock.setTimer(loopProbeMilliseconds, next)
    const { observation } = state
    if (observation === null) return
    for (const risk of watchedRisks(state)) {
      say(risk, isJoined(risk, observation) ? 'joined' : 'out')
      askSilent(risk.segment.vni)
    }
    judge()
  }

  function say(risk: LoopRisk, standing: Standing): void {
    wire ??= kernel.probes(hear)
    said += 1
    const sequence = { incarnation: state.sequence.incarnation, counter: said }
    const { vni } = risk.segment
    wire.say(risk.bridge, { node, vni, sequence, standing })
  }

  /** Of bridges a segment will not be in any more, the others need not be afraid. */
  function part(risks: readonly LoopRisk[]): void {
    const left = spoken.filter(({ segment, bridge }) =>
      risks.every(risk => risk.segment.vni !== segment.vni || risk.bridge !== bridge),
    )
    for (const risk of left) for (let times = 0; times < loopFarewells; times += 1) say(risk, 'gone')
    spoken = risks
  }

  /** Of an lnetd that ended the segment stays in its bridge; where the tunnel is down, too, there is no loop left. */
  function askSilent(vni: Vni): void {
    const track = state.loops.get(vni)
    if (track === undefined || wire === null) return
    for (const [silent, { place }] of silentHindrances(track, node, clock.now())) {
      if (asking.has(silent) || !mayCarry(silent)) continue
      asking.add(silent)
      void wire.ask(place).then(answered => {
        asking.delete(silent)
        const current = state.loops.get(vni)
        if (answered && current !== undefined) set(vni, noteAnswer(current, silent, clock.now()))
      })
    }
  }

  function mayCarry(other: NodeId): boolean {
    const key = state.membership.get(other)?.announcement.publicKey
    const track = key === undefined ? undefined : state.tracks.get(key)
    return track !== undefined && tunnelLiveness(track, clock.now()) !== 'down'
  }

  function hear({ probe, bridge, port: index, place }: HeardProbe): void {
    const risk = watchedRisks(state).find(each => each.segment.vni === probe.vni && each.bridge === bridge)
    const track = state.loops.get(probe.vni)
    if (risk === undefined || track === undefined) return
    const now = clock.now()
    if (probe.node === node) {
      if (index === null) set(probe.vni, { ...track, echoAt: now })
      return
    }
    const watch = state.observation?.state.loopWatches.find(each => each.interface === risk.segment.interface)
    const port = index === null ? undefined : watch?.ports[index]
    if (port === undefined) return
    set(probe.vni, noteProbe(track, probe, { port, place }, now))
    judge()
  }

  function judge(): void {
    const { observation } = state
    if (observation === null) return
    const now = clock.now()
    const risks = watchedRisks(state)
    for (const risk of risks) {
      const { vni } = risk.segment
      const track = state.loops.get(vni)
      if (track !== undefined) set(vni, followLoop(track, node, isJoined(risk, observation), now))
    }
    const out = [...keptOut(risks, state.loops, observation, now)].join()
    if (out === told) return
    told = out
    changed()
  }

  function set(vni: Vni, track: LoopTrack): void {
    if (state.loops.get(vni) !== track) state.loops = new Map([...state.loops, [vni, track]])
  }

  function silence(): void {
    timer?.()
    timer = null
    wire?.close()
    wire = null
  }

  return {
    looked,
    leave: () => part([]),
    stop() {
      stopped = true
      silence()
    },
  }
}

function watchedRisks(state: State): readonly LoopRisk[] {
  const { observation } = state
  return observation === null || !observation.watchesLoops ? [] : risksOf(state, observation)
}
