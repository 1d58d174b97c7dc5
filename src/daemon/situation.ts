import { type Assessment, assess } from '../mesh/assess.ts'
import { type LoopRisk, loopRisks, wayOutRefusal } from '../mesh/bridge.ts'
import type { Situation } from '../mesh/decide.ts'
import { keptOut } from '../mesh/loop.ts'
import type { Observation } from '../model/kernel-state.ts'
import { claimGraceSeconds, warmGraceSeconds, warmSyncedSeconds } from '../model/limits.ts'
import type { Membership } from '../model/member.ts'
import type { Vni } from '../model/segment.ts'
import type { DaemonParts } from './parts.ts'
import type { State } from './state.ts'

/** All that a decision depends on, as it is now. */
export function situationOf(parts: DaemonParts, state: State, observation: Observation): Situation {
  const { mesh, node, publicKey, resolved, clock } = parts
  const { configuration, facts, claims, tracks, proofs, trials, records } = state
  // Two machines with one WireGuard key take each other's sessions: who gave way has no tunnels, at once.
  const { yielding } = state.impostor
  const membership: Membership = yielding ? new Map() : state.membership
  const now = clock.now()
  return {
    ...{
      mesh,
      node,
      publicKey,
      resolved,
      configuration,
      facts,
      claims,
      membership,
      gossipAt: state.gossipAt,
      tracks,
      proofs,
      trials,
      records,
      unanswered: state.unanswered,
      answers: state.answers,
      observation,
      now,
    },
    keptOut: new Set([
      ...wayOuts(state, observation),
      ...keptOut(risksOf(state, observation), state.loops, observation, now),
    ]),
    neighbours: new Set(state.gossip?.neighbours().map(neighbour => neighbour.node)),
    presharedKey: key => parts.presharedKey(key),
    mayChoose: mayChoose(state, now),
    warm: yielding || isWarm(state, now),
    moved: state.moved,
    inDoubt: state.inDoubt,
    wallSeconds: clock.wallSeconds(),
  }
}

/** Who counts now, for what is told between two decisions. */
export function assessmentNow(
  { node, publicKey, clock }: Pick<DaemonParts, 'node' | 'publicKey' | 'clock'>,
  state: State,
): Assessment {
  const now = clock.now()
  return assess({
    ...state,
    node,
    publicKey,
    warm: isWarm(state, now),
    now,
    wallSeconds: clock.wallSeconds(),
  })
}

/** Where a cable may make a loop of a segment. */
export function risksOf({ configuration, facts }: State, { bridges }: Observation): readonly LoopRisk[] {
  return loopRisks(configuration.segments, bridges, facts.waysOut)
}

/** Segments whose bridges this machine needs itself. */
function wayOuts({ configuration, facts }: State, { bridges }: Observation): readonly Vni[] {
  return configuration.segments
    .filter(({ bridge }) => bridge !== null && wayOutRefusal(bridge, bridges, facts.waysOut) !== null)
    .map(({ vni }) => vni)
}

/** The mesh was heard, and not only by one who may just have started like us; or it has had its time. */
export function isWarm(state: State, now: number): boolean {
  return now - state.startedAt >= (state.synced ? warmSyncedSeconds : warmGraceSeconds) * 1000
}

/** Until the next grace of a starting daemon ends, milliseconds; infinity when all are over. */
export function graceLeft(state: State, now: number): number {
  const graces = [claimGraceSeconds, warmSyncedSeconds, warmGraceSeconds].map(
    seconds => state.startedAt + seconds * 1000 - now,
  )
  return Math.min(...graces.filter(left => left > 0))
}

/** Nobody to ask, somebody answered, or nobody did in time. */
function mayChoose(state: State, now: number): boolean {
  const { bootstrap, discovery } = state.configuration
  const alone = bootstrap.length === 0 && !discovery.mdns && state.membership.size === 0
  return alone || state.synced || now - state.startedAt >= claimGraceSeconds * 1000
}
