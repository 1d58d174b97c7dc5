import { isMetAgain } from '../mesh/endpoint.ts'
import { tunnelLiveness } from '../mesh/liveness.ts'
import type { NodeId } from '../model/node.ts'
import type { DaemonParts } from './parts.ts'
import type { State } from './state.ts'

/** Sees by gossip who can be reached again, and makes their tunnels follow. */
export interface Reunion {
  /** A node answered gossip: its tunnel should carry too. */
  met(node: NodeId): void
  neighboursChanged(): void
}

/** `mark`: the kernel should be looked at. */
export function createReunion(parts: DaemonParts, state: State, mark: () => void): Reunion {
  const { clock, log } = parts
  /** There were neighbours, and there are none. */
  let alone = false

  function met(node: NodeId): void {
    const publicKey = state.membership.get(node)?.announcement.publicKey
    const before = publicKey === undefined ? undefined : state.tracks.get(publicKey)
    if (before === undefined) return
    const track = { ...before, metAt: clock.now() }
    // Where it does not matter now it never will, and this comes with every regular exchange.
    if (!isMetAgain(track, parts.publicKey)) return
    state.tracks = new Map([...state.tracks, [track.publicKey, track]])
    mark()
  }

  /** Who was alone and is no longer is back, though no interface may have told: a cable behind a switch, a router. */
  function neighboursChanged(): void {
    const neighbours = state.gossip?.neighbours().length ?? 0
    log.debug('neighbours.changed', { neighbours })
    const wasAlone = alone
    alone = neighbours === 0
    if (!wasAlone || alone) return
    state.gossip?.redial()
    if ([...state.tracks.values()].every(track => tunnelLiveness(track, clock.now()) === 'up')) return
    state.moved = true
    mark()
  }

  return { met, neighboursChanged }
}
