import type { RemoteInfo } from 'node:dgram'
import type { MulticastDNS, QueryPacket, ResponsePacket } from 'multicast-dns'
import { addressOf, type InterfaceAddress, prefixOf } from '../model/address.ts'
import {
  addressesPerPlaceMax,
  multicastAnswerMilliseconds,
  multicastAskSeconds,
  multicastEagerAsks,
  multicastOldAskMilliseconds,
  multicastOldAskSeconds,
  multicastScanSeconds,
} from '../model/limits.ts'
import { type NodeId, parseNodeId } from '../model/node.ts'
import { isOnLan } from './interfaces.ts'
import { isOn, lanAddresses, openMulticast } from './lans.ts'
import { type LanNames, lanNames, oldServiceOf, recordsOf } from './mdns-names.ts'
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
  oldAskedAt: number
  oldAsk: NodeJS.Timeout | null
}

/** Who answered, with addresses in the network it was heard in. */
export interface DiscoveryEvents {
  found(node: NodeId, addresses: readonly string[], sender: string): void
  /** By this node's own id: this machine itself, or a copy of it. */
  foundOwn(addresses: readonly string[]): void
  /** Nobody is known here, and nobody else can be asked. */
  isLost(): boolean
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

class Discovering {
  private readonly options: GossipOptions
  private readonly self: NodeId
  private readonly names: LanNames
  private readonly oldService: string
  private readonly events: DiscoveryEvents
  private readonly lans = new Map<string, Lan>()
  /** A day that the clock of another node has reached and ours has not, and when it was heard. */
  private ahead = { day: 0, heardAt: Number.NEGATIVE_INFINITY }

  constructor(options: GossipOptions, self: NodeId, events: DiscoveryEvents) {
    this.options = options
    this.self = self
    this.names = lanNames(options.networkKey, () => options.wallSeconds())
    this.oldService = oldServiceOf(options.topic)
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
    const multicast = openMulticast(address, this.options.now)
    if (multicast === null) return
    const never = Number.NEGATIVE_INFINITY
    const times = { asked: 0, askedAt: never, answeredAt: never, oldAskedAt: never }
    const lan: Lan = { address, multicast, ...times, oldAsk: null }
    this.lans.set(address, lan)
    // The interface went away, or another program holds the port alone: the next scan tries again.
    multicast.on('error', () => {
      if (this.lans.get(address) === lan) this.leave(address)
    })
    multicast.on('query', (packet, from) => this.queried(lan, packet, from))
    multicast.on('response', (packet, from) => this.answered(lan, packet, from))
  }

  private leave(address: string): void {
    const lan = this.lans.get(address)
    if (lan === undefined) return
    clearTimeout(lan.oldAsk ?? undefined)
    lan.multicast.destroy()
    this.lans.delete(address)
  }

  private ask(lan: Lan, now: number): void {
    // Where nobody answers by today's name, and nobody else is known, there may be nodes of 0.1.0 alone.
    const isEager = lan.asked > 0 && lan.asked < multicastEagerAsks
    if (isEager && this.events.isLost()) lan.oldAskedAt = now
    const services = lan.oldAskedAt === now ? [...this.services(now), this.oldService] : this.services(now)
    lan.asked += 1
    lan.askedAt = now
    lan.multicast.query(services.map(name => ({ name, type: 'PTR' as const })))
  }

  /** Today's, and that of a node whose clock is ahead of ours, as where ours was never set. */
  private services(now: number): readonly string[] {
    const today = this.names.today()
    const isAhead = this.ahead.day > today && now - this.ahead.heardAt < aheadMilliseconds
    return [...new Set([today, isAhead ? this.ahead.day : today])].map(day => this.names.serviceOf(day))
  }

  private queried(lan: Lan, packet: QueryPacket, from: RemoteInfo): void {
    const now = this.options.now()
    if (!isOn(lan.address, from)) return
    const asked = (packet.questions ?? []).filter(({ type }) => type === 'PTR')
    const days = [...new Set(asked.flatMap(({ name }) => this.currentDay(name, now)))]
    if (asked.some(({ name }) => name === this.oldService)) this.heardOld(lan, now, days.length === 0)
    if (days.length === 0 || now - lan.answeredAt < multicastAnswerMilliseconds) return
    lan.answeredAt = now
    const address = `/ip4/${addressOf(lan.address)}/tcp/${this.options.port}`
    lan.multicast.respond({ answers: recordsOf(this.names, { node: this.self, address }, days) })
  }

  /** A name of before yesterday was kept by somebody, and played again. */
  private currentDay(service: string, now: number): readonly number[] {
    const day = this.names.dayOf(service)
    const today = this.names.today()
    if (day === null || day < today - 1) return []
    if (day > today) this.ahead = { day, heardAt: now }
    return [day]
  }

  /**
   * Only a node of 0.1.0 asks by its own name alone: it is asked back, and says where it is. A moment later, and not
   * where another one asked meanwhile.
   */
  private heardOld(lan: Lan, now: number, isOldNode: boolean): void {
    if (!isOldNode) {
      clearTimeout(lan.oldAsk ?? undefined)
      lan.oldAsk = null
      lan.oldAskedAt = now
    }
    if (lan.oldAsk !== null || now - lan.oldAskedAt < multicastOldAskSeconds * 1000) return
    const wait = this.options.random() * multicastOldAskMilliseconds
    lan.oldAsk = setTimeout(() => {
      lan.oldAsk = null
      lan.oldAskedAt = this.options.now()
      const services = [...this.services(lan.oldAskedAt), this.oldService]
      lan.multicast.query(services.map(name => ({ name, type: 'PTR' as const })))
    }, wait)
  }

  private answered(lan: Lan, packet: ResponsePacket, from: RemoteInfo): void {
    if (!isOn(lan.address, from)) return
    for (const answer of packet.answers ?? []) {
      if (answer.type !== 'TXT') continue
      const dot = answer.name.indexOf('.')
      const service = answer.name.slice(dot + 1)
      const texts = [answer.data].flat().slice(0, addressesPerPlaceMax)
      if (service === this.oldService) {
        const node = parseNodeId(answer.name.slice(0, dot))
        if (node !== null) this.tell(lan, node, texts.map(String), from)
        continue
      }
      for (const day of this.currentDay(service, this.options.now())) {
        const opened = this.names.open(Buffer.from(texts[0] ?? ''), day)
        if (opened !== null) this.tell(lan, opened.node, [opened.address], from)
      }
    }
  }

  private tell(lan: Lan, node: NodeId, told: readonly string[], from: RemoteInfo): void {
    const addresses = told.filter(address => isOnLan(address, prefixOf(lan.address), this.options))
    if (addresses.length === 0) return
    if (node === this.self) this.events.foundOwn(addresses)
    else this.events.found(node, addresses, from.address)
  }
}

const aheadMilliseconds = 86_400_000
