import type { InterfaceName } from '../model/address.ts'
import type { Observation } from '../model/kernel-state.ts'
import {
  loopFreshSeconds,
  loopListenSeconds,
  loopNodesMax,
  loopPatienceSeconds,
  loopQuietSecondsMax,
  loopQuietSecondsMin,
  loopRelapseSeconds,
} from '../model/limits.ts'
import type { LinkPlace } from '../model/loop-watch.ts'
import { compareSequence, type NodeId, type Sequence } from '../model/node.ts'
import type { Vni } from '../model/segment.ts'
import type { LoopRisk } from './bridge.ts'
import type { LoopProbe } from './loop-probe.ts'

/** Another node of the segment that was heard by a physical port: two ways lead to it. Times are monotonic milliseconds. */
export interface Sighting {
  readonly sequence: Sequence
  readonly port: InterfaceName
  /** Its address on the network that both share. */
  readonly place: LinkPlace
  readonly at: number
  /** Since when its segment is in its bridge; null while it is not. */
  readonly joinedSince: number | null
}

/** Why a segment is out of its bridge, and for how long at least. */
export interface Exile {
  readonly node: NodeId
  readonly port: InterfaceName
  readonly until: number
}

/** What is known of loops of one segment. */
export interface LoopTrack {
  readonly since: number
  readonly sightings: ReadonlyMap<NodeId, Sighting>
  /** Null: it may be in its bridge. */
  readonly exile: Exile | null
  /** How long nothing may speak against it before it goes back. */
  readonly quietSeconds: number
  /** When the last exile ended; null when there was none. */
  readonly freedAt: number | null
  /** When our own probe last came back to us from this machine's own bridge. */
  readonly echoAt: number | null
}

export type LoopTracks = ReadonlyMap<Vni, LoopTrack>

export function newLoopTrack(now: number): LoopTrack {
  const nothing = { sightings: new Map(), exile: null, freedAt: null, echoAt: null }
  return { since: now, quietSeconds: loopQuietSecondsMin, ...nothing }
}

/**
 * A probe of another node came in by a physical port. Old ones, played again, are passed over; one that is gone is
 * remembered for its sequence alone.
 */
export function noteProbe(
  before: LoopTrack,
  { node, sequence, standing }: LoopProbe,
  { port, place }: Pick<Sighting, 'port' | 'place'>,
  now: number,
): LoopTrack {
  const known = before.sightings.get(node)
  if (known !== undefined && compareSequence(sequence, known.sequence) <= 0) return before
  const wasJoined = known !== undefined && isFresh(known, now) ? known.joinedSince : null
  const joinedSince = standing === 'joined' ? (wasJoined ?? now) : null
  const at = standing === 'gone' ? Number.NEGATIVE_INFINITY : now
  const sightings = new Map(before.sightings)
  // Behind the others, so that who was silent for longest is forgotten first.
  sightings.delete(node)
  sightings.set(node, { sequence, port, place, at, joinedSince })
  const [silent] = sightings.keys()
  if (sightings.size > loopNodesMax && silent !== undefined) sightings.delete(silent)
  return { ...before, sightings }
}

/**
 * Nodes that keep a segment out and fell silent: their lnetd may have ended, which takes nothing out of a bridge.
 * Whether the cable is still there, their kernels tell.
 */
export function silentHindrances(track: LoopTrack, own: NodeId, now: number) {
  if (track.exile === null) return []
  return hindrances(track, own).filter(
    ([, sighting]) => !isFresh(sighting, now) && sighting.at + track.quietSeconds * 1000 > now,
  )
}

/** The kernel of a silent node answered by the network that both share: nothing has changed there. */
export function noteAnswer(before: LoopTrack, node: NodeId, now: number): LoopTrack {
  const known = before.sightings.get(node)
  if (known === undefined || known.at === Number.NEGATIVE_INFINITY) return before
  return { ...before, sightings: new Map([...before.sightings, [node, { ...known, at: now }]]) }
}

/**
 * Two nodes that hear each other by their physical ports, each with its segment in the bridge, are a loop. The one with
 * the lower id stays in, so that the network they share keeps a way into the mesh; the other one leaves. If it does
 * not, because it does not hear, the lower one leaves. Who is out stays out while anybody is in, or a lower one might be.
 */
export function followLoop(before: LoopTrack, own: NodeId, joined: boolean, now: number): LoopTrack {
  const { exile, freedAt } = before
  if (exile !== null) {
    const against = hindrances(before, own).map(([, { at }]) => at + before.quietSeconds * 1000)
    const until = Math.max(exile.until, ...against)
    if (now >= until) return { ...before, exile: null, freedAt: now }
    return until === exile.until ? before : { ...before, exile: { ...exile, until } }
  }
  const [cause] = (joined ? offenders(before, own, now) : hindrances(before, own)).filter(([, sighting]) =>
    isFresh(sighting, now),
  )
  if (cause === undefined) return before
  const isRelapse = freedAt !== null && now - freedAt < loopRelapseSeconds * 1000
  const quietSeconds = isRelapse
    ? Math.min(before.quietSeconds * 2, loopQuietSecondsMax)
    : loopQuietSecondsMin
  const [node, { port }] = cause
  return { ...before, quietSeconds, exile: { node, port, until: now + quietSeconds * 1000 } }
}

/** Segments that stay out of their bridges: by a loop, or because one that is to go in listens first. */
export function keptOut(
  risks: readonly LoopRisk[],
  tracks: LoopTracks,
  observation: Observation,
  now: number,
): ReadonlySet<Vni> {
  if (!observation.watchesLoops) return new Set()
  return new Set(
    risks
      .filter(risk => {
        const track = tracks.get(risk.segment.vni)
        if (track !== undefined && track.exile !== null) return true
        const hasListened = track !== undefined && now - track.since >= loopListenSeconds * 1000
        return !hasListened && !isJoined(risk, observation)
      })
      .map(({ segment }) => segment.vni),
  )
}

/** Whether a segment is in its bridge now. */
export function isJoined({ segment, bridge }: LoopRisk, { state }: Observation): boolean {
  return state.segments.some(each => each.interface === segment.interface && each.bridge === bridge)
}

/** Nodes that share a physical network with us, whose segments left or are on their way out of their bridges. */
export function sharers({ sightings }: LoopTrack, now: number): readonly Pick<Exile, 'node' | 'port'>[] {
  return [...sightings]
    .filter(([, sighting]) => isFresh(sighting, now))
    .map(([node, { port }]) => ({ node, port }))
}

function isFresh({ at }: Sighting, now: number): boolean {
  return now - at < loopFreshSeconds * 1000
}

/** Because of whom a segment that is in has to leave. */
function offenders({ sightings }: LoopTrack, own: NodeId, now: number) {
  return [...sightings].filter(
    ([node, { joinedSince }]) =>
      joinedSince !== null && (node < own || now - joinedSince >= loopPatienceSeconds * 1000),
  )
}

/** Because of whom one that is out stays out. */
function hindrances({ sightings }: LoopTrack, own: NodeId) {
  return [...sightings].filter(([node, { joinedSince }]) => joinedSince !== null || node < own)
}
