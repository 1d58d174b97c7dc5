import type { ConnectionProtector, MultiaddrConnection } from '@libp2p/interface'
import { Allowances } from '../mesh/allowances.ts'
import { type IpAddress, ipAddressBytes, parseIpAddress } from '../model/address.ts'
import {
  allowancesMax,
  hostConnectionAllowance,
  inboundFirstBytesMilliseconds,
  inboundPendingMax,
  inboundPendingPerHostMax,
  inboundTurnMilliseconds,
  nodeConnectionAllowance,
} from '../model/limits.ts'
import type { NodeId } from '../model/node.ts'
import { placeOf } from './places.ts'

/**
 * Connections from outside that have not proven yet to know the mesh secret. Whoever is on the network can make any
 * number of them: a newcomer always finds room, whatever they do, and one that has proven itself is never ended here.
 */
export interface Newcomers {
  /** Makes room by ending another one. False: there is none, its host made too many, or the connection ended. */
  enter(connection: MultiaddrConnection): boolean
  /** The first bytes of the handshake came. */
  spoke(connection: MultiaddrConnection): void
  /** It has the secret and proved to be this node. False: this node made too many connections, and this one ended. */
  proven(connection: MultiaddrConnection, node: NodeId): boolean
}

interface Newcomer {
  readonly connection: MultiaddrConnection
  readonly host: string
  readonly at: number
  spoke: boolean
}

export function createNewcomers(now: () => number): Newcomers {
  /** The oldest first. */
  const newcomers = new Map<MultiaddrConnection, Newcomer>()
  // Only what proved itself counts: whoever has no secret cannot use up what others behind the same router may.
  const ofHosts = new Allowances<string>(hostConnectionAllowance, allowancesMax)
  const ofNodes = new Allowances<NodeId>(nodeConnectionAllowance, allowancesMax)

  function end(newcomer: Newcomer | undefined, reason: string): void {
    if (newcomer === undefined) return
    newcomers.delete(newcomer.connection)
    newcomer.connection.abort(new Error(reason))
  }

  /** Of one host the silent ones go first; one that spoke keeps its turn, so that many of a network can come at once. */
  function makeRoomAmong(host: string, coming: Newcomer): void {
    const ofHost = [...newcomers.values()].filter(each => each.host === host)
    if (ofHost.length <= inboundPendingPerHostMax) return
    const others = ofHost.filter(each => each !== coming)
    const silent = others.find(({ spoke }) => !spoke)
    const old = others.find(({ at }) => now() - at >= inboundTurnMilliseconds)
    end(silent ?? old ?? coming, 'too many unproven connections of one host')
  }

  /** Of all it is one of the host that has most, so that a few hosts cannot keep out another one. */
  function makeRoom(coming: Newcomer): void {
    if (newcomers.size <= inboundPendingMax) return
    const others = [...newcomers.values()].filter(each => each !== coming)
    const counts = new Map<string, number>()
    for (const { host } of others) counts.set(host, (counts.get(host) ?? 0) + 1)
    const most = Math.max(...counts.values())
    const crowd = others.filter(({ host }) => counts.get(host) === most)
    end(crowd.find(({ spoke }) => !spoke) ?? crowd[0], 'too many unproven connections')
  }

  /** What came while this program was busy is read before the silence counts. */
  function endIfSilent(newcomer: Newcomer): void {
    setImmediate(() => {
      if (!newcomer.spoke && newcomers.has(newcomer.connection)) end(newcomer, 'it sends nothing')
    })
  }

  return {
    enter(connection) {
      if (connection.status !== 'open' || ofHosts.spend(networkOf(connection), 0, 0, now()) > 0) return false
      const newcomer = { connection, host: networkOf(connection), at: now(), spoke: false }
      newcomers.set(connection, newcomer)
      const silence = setTimeout(() => endIfSilent(newcomer), inboundFirstBytesMilliseconds)
      silence.unref()
      connection.addEventListener('close', () => {
        clearTimeout(silence)
        newcomers.delete(connection)
      })
      makeRoomAmong(newcomer.host, newcomer)
      makeRoom(newcomer)
      return newcomers.has(connection)
    },
    spoke(connection) {
      const newcomer = newcomers.get(connection)
      if (newcomer !== undefined) newcomer.spoke = true
    },
    proven(connection, node) {
      newcomers.delete(connection)
      ofHosts.spend(networkOf(connection), 1, 0, now())
      return ofNodes.spend(node, 1, 0, now()) === 0
    },
  }
}

/** Tells of the first bytes that come by a connection from outside: the nonce of the private network. */
export function heedFirstBytes<Components>(
  create: (components: Components) => ConnectionProtector,
  spoke: (connection: MultiaddrConnection) => void,
): (components: Components) => ConnectionProtector {
  return components => {
    const protector = create(components)
    const protect: ConnectionProtector['protect'] = async (connection, options) => {
      const protectedOne = await protector.protect(connection, options)
      spoke(connection as MultiaddrConnection)
      return protectedOne
    }
    return Object.assign(Object.create(protector) as ConnectionProtector, { protect })
  }
}

/** A machine has one IPv4 address, and any number of IPv6 addresses in a /64 (RFC 4291 section 2.5.4). */
function networkOf({ remoteAddr }: MultiaddrConnection): string {
  const text = remoteAddr.toString()
  const address = parseIpAddress(placeOf(text)?.host ?? '')
  if (address === null) return text
  return address.includes(':') ? firstHalfOf(address) : address
}

function firstHalfOf(address: IpAddress): string {
  return Buffer.from(ipAddressBytes(address).subarray(0, 8)).toString('hex')
}
