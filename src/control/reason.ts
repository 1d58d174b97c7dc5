import type { TunnelLiveness, TunnelTrack } from '../mesh/liveness.ts'
import { type IpAddress, type Prefix, portOf, prefixContains } from '../model/address.ts'
import type { EndpointCandidate } from '../model/announcement.ts'
import type { Standing } from '../model/member.ts'
import type { NodeId, NodeName } from '../model/node.ts'
import { clockTime, duration, plural } from './text.ts'

/** All that is known about why a member may not be reached. */
export interface Circumstances {
  readonly node: NodeId
  /** A machine without lnetd, declared by a node. */
  readonly isStatic: boolean
  readonly standing: Standing
  readonly seenSeconds: number
  readonly vtep: IpAddress
  /** The network VTEPs have to be in, as this node is configured. */
  readonly vteps: Prefix
  /** Who owns the VTEP address by everyone's claims. */
  readonly vtepOwner: { readonly node: NodeId; readonly name: NodeName }
  /** What the member announces. */
  readonly endpoints: readonly EndpointCandidate[]
  /** Null when WireGuard has no such peer. */
  readonly track: TunnelTrack | null
  readonly liveness: TunnelLiveness
  readonly hasTunnel: boolean
  readonly wallSeconds: number
}

/** Why a member is not up, in one sentence that leads to the fix; null when it is up. */
export function reasonNotUp(about: Circumstances): string | null {
  const { standing, seenSeconds, track, liveness } = about
  if (standing === 'left')
    return about.isStatic
      ? `taken back ${duration(seenSeconds)} ago: no node declares it any more`
      : `left the mesh ${duration(seenSeconds)} ago; it comes back when its lnetd is started again`
  const refusal = vtepRefusal(about)
  if (refusal !== null) return refusal
  if (!about.hasTunnel) return 'this node has no tunnel yet: see lnetctl status'
  if (track === null) return `${sighting(about)}, not set up in WireGuard yet: see lnetctl plan`
  switch (liveness) {
    case 'up':
      return null
    case 'unknown':
      return trial(track)
    case 'down':
      return `${sighting(about)}, ${handshake(track, about.wallSeconds)}, ${verdict(about, track)}`
  }
}

/** A member whose VTEP is not its own, or not of our network, gets no tunnel at all: why, or null. */
export function vtepRefusal({
  node,
  vtep,
  vteps,
  vtepOwner,
}: Pick<Circumstances, 'node' | 'vtep' | 'vteps' | 'vtepOwner'>): string | null {
  if (!prefixContains(vteps, vtep))
    return `its VTEP ${vtep} is outside our network ${vteps}: tunnel.prefix has to be the same on all nodes`
  if (vtepOwner.node === node) return null
  return `its VTEP ${vtep} belongs to ${vtepOwner.name} (${vtepOwner.node}): change tunnel.address on one of the two`
}

function sighting({ standing, seenSeconds }: Circumstances): string {
  return standing === 'live' ? `seen ${duration(seenSeconds)} ago` : `silent for ${duration(seenSeconds)}`
}

function trial({ endpoint, handshakeAt, tried }: TunnelTrack): string {
  const place = endpoint === null ? 'without an endpoint' : `at ${endpoint}`
  const before = tried.length === 0 ? '' : `, ${plural(tried.length, 'endpoint')} tried before`
  return handshakeAt === null
    ? `waiting for its first handshake ${place}${before}`
    : `waiting for an answer ${place}${before}`
}

function handshake({ handshakeAt }: TunnelTrack, wallSeconds: number): string {
  return handshakeAt === null
    ? 'never a handshake'
    : `no handshake since ${clockTime(handshakeAt, wallSeconds)}`
}

/** What was tried, and the question to ask next. */
function verdict({ standing, endpoints }: Circumstances, track: TunnelTrack): string {
  const tried = new Set(track.endpoint === null ? track.tried : [...track.tried, track.endpoint])
  const first = tried.values().next().value
  if (first === undefined && endpoints.length === 0)
    return 'it announces no endpoint and did not reach us: give it one in tunnel.endpoints, or open UDP here'
  if (first === undefined)
    return `none of the endpoints it announces (${endpoints.map(({ place }) => place).join(', ')}) can be used here: do names resolve?`
  const attempts = `${plural(tried.size, 'endpoint')} tried, ${tried.size === 1 ? '' : 'all '}silent`
  if (standing === 'silent') return `${attempts}: is it switched off or offline?`
  const ports = [...new Set([...tried].map(portOf))].sort((a, b) => a - b)
  return `${attempts}: is UDP ${ports.join(' or ')} blocked?`
}
