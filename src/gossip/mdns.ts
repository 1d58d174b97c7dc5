import { createHash } from 'node:crypto'
import type { RemoteInfo } from 'node:dgram'
import makeMulticast, { type MulticastDNS, type QueryPacket, type ResponsePacket } from 'multicast-dns'
import {
  addressOf,
  type InterfaceAddress,
  parseInterfaceAddress,
  parseIpAddress,
  prefixContains,
  prefixOf,
} from '../model/address.ts'
import {
  addressesPerPlaceMax,
  multicastAnswerMilliseconds,
  multicastAskSeconds,
  multicastEagerAsks,
  multicastInterfacesMax,
  multicastScanSeconds,
} from '../model/limits.ts'
import { type NodeId, parseNodeId } from '../model/node.ts'
import { interfaceAddresses, isOnLan } from './interfaces.ts'
import { modestSocket } from './multicast-socket.ts'
import type { GossipOptions } from './port.ts'

/** Finds nodes of the same mesh on the LANs of this machine by multicast DNS (RFC 6762), over IPv4. */
export interface Discovery {
  stop(): void
}

/** One LAN. A socket each, because a socket sends multicast by one interface only: else by the default route's. */
interface Lan {
  readonly address: InterfaceAddress
  readonly multicast: MulticastDNS
  asked: number
  askedAt: number
  answeredAt: number
}

/** Who answered, with addresses in the network it was heard in. */
export interface DiscoveryEvents {
  found(node: NodeId, addresses: readonly string[]): void
  /** By this node's own id: this machine itself, or a copy of it. */
  foundOwn(addresses: readonly string[]): void
}

/** Asks on each LAN from time to time, and answers others, until it is stopped. */
export function startDiscovery(options: GossipOptions, self: NodeId, events: DiscoveryEvents): Discovery {
  const discovering = new Discovering(options, self, events)
  discovering.scan()
  const timer = setInterval(() => discovering.scan(), multicastScanSeconds * 1000)
  return {
    stop: () => {
      clearInterval(timer)
      discovering.stop()
    },
  }
}

/** A DNS-SD service of this mesh alone, so that other meshes and other programs are not even asked. */
export function serviceOf(topic: string): string {
  const digest = createHash('sha256').update(topic).digest('hex').slice(0, 16)
  return `_lnet-${digest}._tcp.local`
}

class Discovering {
  private readonly options: GossipOptions
  private readonly self: NodeId
  private readonly service: string
  private readonly events: DiscoveryEvents
  private readonly lans = new Map<string, Lan>()

  constructor(options: GossipOptions, self: NodeId, events: DiscoveryEvents) {
    this.options = options
    this.self = self
    this.service = serviceOf(options.topic)
    this.events = events
  }

  /** Follows the interfaces as they come and go, and asks on each from time to time. */
  scan(): void {
    const addresses = lanAddresses(this.options)
    for (const [address, lan] of this.lans) if (!addresses.has(lan.address)) this.leave(address)
    for (const address of addresses) if (!this.lans.has(address)) this.enter(address)
    const now = this.options.now()
    for (const lan of this.lans.values()) {
      // The first word on an interface that just came up is often lost.
      const seconds = lan.asked < multicastEagerAsks ? multicastScanSeconds : multicastAskSeconds
      if (now - lan.askedAt >= seconds * 900) this.ask(lan, now)
    }
  }

  stop(): void {
    for (const address of [...this.lans.keys()]) this.leave(address)
  }

  private enter(address: InterfaceAddress): void {
    const socket = modestSocket(this.options.now)
    const multicast = makeMulticast({ interface: addressOf(address), bind: '0.0.0.0', socket })
    const lan: Lan = {
      address,
      multicast,
      asked: 0,
      askedAt: Number.NEGATIVE_INFINITY,
      answeredAt: Number.NEGATIVE_INFINITY,
    }
    this.lans.set(address, lan)
    // The interface went away, or another program holds the port alone: the next scan tries again.
    multicast.on('error', () => {
      if (this.lans.get(address) === lan) this.leave(address)
    })
    multicast.on('query', (packet, from) => this.queried(lan, packet, from))
    multicast.on('response', (packet, from) => this.answered(lan, packet, from))
  }

  private leave(address: string): void {
    this.lans.get(address)?.multicast.destroy()
    this.lans.delete(address)
  }

  private ask(lan: Lan, now: number): void {
    lan.asked += 1
    lan.askedAt = now
    lan.multicast.query([{ name: this.service, type: 'PTR' }])
  }

  private queried(lan: Lan, packet: QueryPacket, from: RemoteInfo): void {
    const now = this.options.now()
    if (!isOn(lan, from) || now - lan.answeredAt < multicastAnswerMilliseconds) return
    if (packet.questions?.some(({ name, type }) => name === this.service && type === 'PTR') !== true) return
    lan.answeredAt = now
    const name = `${this.self}.${this.service}`
    const where = `/ip4/${addressOf(lan.address)}/tcp/${this.options.port}`
    lan.multicast.respond({
      answers: [
        { name: this.service, type: 'PTR', ttl: 120, data: name },
        { name, type: 'TXT', ttl: 120, data: [where] },
      ],
    })
  }

  private answered(lan: Lan, packet: ResponsePacket, from: RemoteInfo): void {
    if (!isOn(lan, from)) return
    for (const answer of packet.answers ?? []) {
      if (answer.type !== 'TXT' || !answer.name.endsWith(`.${this.service}`)) continue
      const node = parseNodeId(answer.name.slice(0, -this.service.length - 1))
      if (node === null) continue
      const addresses = [answer.data]
        .flat()
        .slice(0, addressesPerPlaceMax)
        .map(String)
        .filter(address => isOnLan(address, prefixOf(lan.address), this.options))
      if (addresses.length === 0) continue
      if (node === this.self) this.events.foundOwn(addresses)
      else this.events.found(node, addresses)
    }
  }
}

/** Every socket hears the multicast of every LAN: it is taken from the one it came by. */
function isOn(lan: Lan, from: RemoteInfo): boolean {
  const address = parseIpAddress(from.address)
  return address !== null && prefixContains(prefixOf(lan.address), address)
}

function lanAddresses({ isInside }: Pick<GossipOptions, 'isInside'>): ReadonlySet<InterfaceAddress> {
  const lans = interfaceAddresses()
    .filter(({ family, internal, cidr }) => family === 'IPv4' && !internal && cidr !== null)
    .map(({ cidr }) => parseInterfaceAddress(cidr as string))
    .filter(address => address !== null && !isInside(addressOf(address)))
  return new Set(lans.slice(0, multicastInterfacesMax) as InterfaceAddress[])
}
