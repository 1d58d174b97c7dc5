import type { Observation } from '../model/kernel-state.ts'
import type { Member, Membership } from '../model/member.ts'
import type { WireguardPublicKey } from '../model/wireguard-key.ts'
import { doubt, noteIncarnation, observeTunnel, type TunnelTrack } from './liveness.ts'

/** What is remembered of the WireGuard peers, by their keys. */
export type Tracks = ReadonlyMap<WireguardPublicKey, TunnelTrack>

/** What a look at the kernel is joined with. Times as in a situation. */
export interface Sight {
  readonly tracks: Tracks
  readonly membership: Membership
  readonly observation: Observation
  readonly inDoubt: boolean
  readonly now: number
  readonly wallSeconds: number
}

/** Members' tracks with the latest readings and words; tracks of keys nobody holds any more are dropped. */
export function observeTracks(sight: Sight): Map<WireguardPublicKey, TunnelTrack> {
  const { membership, tracks, observation, inDoubt, now, wallSeconds } = sight
  const readings = new Map(observation.readings.map(reading => [reading.publicKey, reading]))
  const observed = new Map<WireguardPublicKey, TunnelTrack>()
  for (const member of membership.values()) {
    const { publicKey } = member.announcement
    const reading = readings.get(publicKey)
    const known = tracks.get(publicKey)
    const track = reading === undefined ? known : observeTunnel(known, reading, now, wallSeconds)
    if (track === undefined) continue
    const noted = noteMember(track, member, now)
    observed.set(publicKey, inDoubt ? doubt(noted, now) : noted)
  }
  return observed
}

/** A declared machine has no starts of its own. */
function noteMember(track: TunnelTrack, member: Member, now: number): TunnelTrack {
  const { declaredBy, sequence } = member.announcement
  const started = declaredBy === null ? noteIncarnation(track, sequence.incarnation, now) : track
  return noteNews(started, member.heardAt)
}

/** Its node was heard by gossip, which makes it likelier that it can be reached. Monotonic milliseconds. */
function noteNews(track: TunnelTrack, at: number): TunnelTrack {
  return at > track.newsAt ? { ...track, newsAt: at } : track
}
