import type { FieldsOf } from '../host/events.ts'
import { type TunnelLiveness, type TunnelTrack, tunnelLiveness } from '../mesh/liveness.ts'
import { isProven } from '../mesh/proof.ts'
import type { Member } from '../model/member.ts'
import type { WireguardPublicKey } from '../model/wireguard-key.ts'
import type { DaemonParts } from './parts.ts'
import type { State } from './state.ts'

export interface TunnelNews {
  /** Tells which tunnels rose, fell and roamed since the last time; the members whose tunnels rose. */
  tell(): readonly Member[]
}

export function createTunnelNews(parts: Pick<DaemonParts, 'clock' | 'log'>, state: State): TunnelNews {
  const { log } = parts
  const liveness = new Map<WireguardPublicKey, TunnelLiveness>()
  const places = new Map<WireguardPublicKey, Pick<TunnelTrack, 'endpoint' | 'endpointSetAt'>>()

  function tell(): readonly Member[] {
    const now = parts.clock.now()
    const risen: Member[] = []
    for (const member of state.membership.values()) {
      const { publicKey, node, name } = member.announcement
      const track = state.tracks.get(publicKey)
      if (track === undefined) continue
      const who = { member: node, name }
      const current = tunnelLiveness(track, now)
      const before = liveness.get(publicKey)
      liveness.set(publicKey, current)
      tellRoaming(track, who)
      if (before === current) continue
      if (current === 'up') {
        risen.push(member)
        log.info('tunnel.up', { ...who, endpoint: track.endpoint })
      }
      // Who never answered does not stop doing so.
      if (current === 'down' && isProven(member, state.proofs))
        log.warn('tunnel.down', { ...who, endpoint: track.endpoint })
    }
    if (liveness.size > state.membership.size) dropForgotten()
    return risen
  }

  /** WireGuard found another endpoint by itself: it is not the one we set last. */
  function tellRoaming({ publicKey, endpoint, endpointSetAt }: TunnelTrack, who: Who): void {
    const before = places.get(publicKey)
    places.set(publicKey, { endpoint, endpointSetAt })
    if (before === undefined || before.endpointSetAt !== endpointSetAt) return
    if (before.endpoint !== null && before.endpoint !== endpoint)
      log.info('tunnel.roamed', { ...who, endpoint })
  }

  function dropForgotten(): void {
    const keys = new Set([...state.membership.values()].map(({ announcement }) => announcement.publicKey))
    for (const key of liveness.keys()) if (!keys.has(key)) liveness.delete(key)
    for (const key of places.keys()) if (!keys.has(key)) places.delete(key)
  }

  return { tell }
}

type Who = FieldsOf<'member.joined'>
