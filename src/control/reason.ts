import type { TunnelLiveness, TunnelTrack } from '../mesh/liveness.ts'
import {
  type Endpoint,
  familyOf,
  hostAddress,
  type IpAddress,
  type Prefix,
  portOf,
  prefixContains,
} from '../model/address.ts'
import type { EndpointCandidate } from '../model/announcement.ts'
import type { Standing } from '../model/member.ts'
import type { NodeId, NodeName } from '../model/node.ts'
import type { UnderlayPaths } from '../model/path.ts'
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
  /** What this machine's kernel says of the routes to them. */
  readonly paths: UnderlayPaths
  /** Null when WireGuard has no such peer. */
  readonly track: TunnelTrack | null
  /** The last handshake ever, Unix seconds; null: never. */
  readonly handshakeAt: number | null
  /** It shook hands with us once. */
  readonly isProven: boolean
  /** WireGuard has its peer now. */
  readonly hasPeer: boolean
  readonly liveness: TunnelLiveness
  readonly hasTunnel: boolean
  readonly wallSeconds: number
}

/** Traffic needs no lnetd: the kernels go on without it. */
export const silentReason = 'its lnetd does not answer; traffic goes on'

/** Why a member is not up, or up without its lnetd, in one sentence that leads to the fix; null when all is well. */
export function reasonOf(about: Circumstances): string | null {
  const { standing, seenSeconds, track, liveness } = about
  if (standing === 'left')
    return about.isStatic
      ? `taken back ${duration(seenSeconds)} ago: no node declares it any more`
      : `left the mesh ${duration(seenSeconds)} ago; it comes back when its lnetd is started again`
  const refusal = vtepRefusal(about)
  if (refusal !== null) return refusal
  if (!about.hasTunnel) return 'this node has no tunnel yet: see lnetctl status'
  const isWaiting = !about.isProven && !about.hasPeer
  if (isWaiting && (track === null || liveness === 'unknown')) return firstTrial(about)
  if (track === null) return `${sighting(about)}, not set up in WireGuard yet: see lnetctl plan`
  switch (liveness) {
    case 'up':
      return standing === 'silent' && !about.isStatic ? silentReason : null
    case 'unknown':
      return trial(track, about.handshakeAt)
    case 'down':
      return `${sighting(about)}, ${handshake(about)}, ${verdict(about, track)}`
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

function trial({ endpoint, tried }: TunnelTrack, handshakeAt: number | null): string {
  const place = endpoint === null ? 'without an endpoint' : `at ${endpoint}`
  const before = tried.length === 0 ? '' : `, ${plural(tried.length, 'endpoint')} tried before`
  return handshakeAt === null
    ? `waiting for its first handshake ${place}${before}`
    : `waiting for an answer ${place}${before}`
}

/** Nothing but words shows that it is there: nothing is sent to it meanwhile. */
function firstTrial(about: Circumstances): string {
  return `${sighting(about)}, never a handshake: waits for its turn to be tried`
}

function handshake({ handshakeAt, wallSeconds }: Circumstances): string {
  return handshakeAt === null
    ? 'never a handshake'
    : `no handshake since ${clockTime(handshakeAt, wallSeconds)}`
}

/** What was tried, and the question to ask next. */
function verdict(about: Circumstances, track: TunnelTrack): string {
  const { standing, endpoints, paths, isProven, hasPeer } = about
  const tried = new Set(track.endpoint === null ? track.tried : [...track.tried, track.endpoint])
  const first = tried.values().next().value
  if (first === undefined && endpoints.length === 0)
    return 'it announces no endpoint and did not reach us: give it one in tunnel.endpoints, or open UDP here'
  if (first === undefined && isOurselves(endpoints, paths))
    return 'the addresses it announces are those of this machine itself: is it a copy of this one?'
  if (first === undefined)
    return `none of the endpoints it announces (${endpoints.map(({ place }) => place).join(', ')}) can be used here: do names resolve?`
  const closed = noPath(tried, paths)
  if (closed !== null) return closed
  const next = isProven || hasPeer ? '' : ', tried again later'
  const attempts = `${plural(tried.size, 'endpoint')} tried${byVpn(tried, paths)}, ${tried.size === 1 ? '' : 'all '}silent${next}`
  if (standing === 'silent') return `${attempts}: is it switched off or offline?`
  const ports = [...new Set([...tried].map(portOf))].sort((a, b) => a - b)
  return `${attempts}: is UDP ${ports.join(' or ')} blocked?`
}

/** Why no packet to any of these endpoints can leave this machine; null when one can, or the kernel was not asked. */
function noPath(endpoints: ReadonlySet<Endpoint>, paths: UnderlayPaths): string | null {
  const addresses = [...endpoints].flatMap(place => hostAddress(place) ?? [])
  const answers = addresses.map(address => paths.get(address))
  if (answers.length === 0 || answers.some(answer => answer === undefined || answer.ok)) return null
  const families = [...new Set(addresses.map(familyOf))]
  const missing = families.length === 1 && families[0] === 6 ? 'IPv6' : 'IPv4'
  return families.length === 1
    ? `no ${missing} route from this machine to ${addresses.join(', ')}: does it have ${missing} at all?`
    : `no route from this machine to ${addresses.join(', ')}: see ip route`
}

/** Where nothing but other VPNs leads there: they may carry no UDP of this size, or be down themselves. */
function byVpn(endpoints: ReadonlySet<Endpoint>, paths: UnderlayPaths): string {
  const answers = [...endpoints].flatMap(place => paths.get(hostAddress(place) as IpAddress) ?? [])
  const vpns = answers.flatMap(answer => (answer.ok ? [answer.vpn] : []))
  if (answers.length < endpoints.size || vpns.length === 0 || vpns.includes(null)) return ''
  return `, only by ${[...new Set(vpns)].join(' and ')}`
}

/** Everything it announces is an address of this machine, which routes to itself. */
function isOurselves(endpoints: readonly EndpointCandidate[], paths: UnderlayPaths): boolean {
  const addresses = endpoints.flatMap(({ place }) => hostAddress(place) ?? [])
  return (
    addresses.length > 0 &&
    addresses.every(address => {
      const answer = paths.get(address)
      return answer?.ok === true && answer.source === address
    })
  )
}
