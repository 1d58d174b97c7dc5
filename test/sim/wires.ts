import {
  type Endpoint,
  endpoint,
  hostAddress,
  hostPrefix,
  type IpAddress,
  type Port,
  portOf,
} from '../../src/model/address.ts'
import type { Plan } from '../../src/model/step.ts'
import type { WireguardPublicKey } from '../../src/model/wireguard-key.ts'
import type { TunnelDraft } from '../fake/kernel-draft.ts'
import type { Machine } from './machine.ts'
import type { Scheduler } from './scheduler.ts'

/** The underlay as the wires need it. */
export interface Underlay {
  machineAt(address: IpAddress): Machine | undefined
  /** Packets pass from one to the other now. */
  isOpen(from: Machine, to: Machine): boolean
  /** One way, milliseconds. */
  delay(): number
  isLost(): boolean
}

/** What one WireGuard holds of another. A session is one object on both sides; a side that lost it hears nothing. */
interface Side {
  session: { readonly since: number } | null
  sentAt: number
  initiatedAt: number
  /** Until it may initiate again. */
  isWaiting: boolean
  /** Something waits to be sent: until then it repeats its initiations. */
  wantsUntil: number
  received: number
  sent: number
}

/** WireGuard whitepaper section 6.1. */
const rekeyAfterMilliseconds = 120_000
const rejectAfterMilliseconds = 180_000
const rekeyTimeoutMilliseconds = 5000
const rekeyAttemptMilliseconds = 90_000
const bytesOf = { initiation: 148, response: 92, keepalive: 32, word: 64, unreachable: 112 } as const

/**
 * WireGuard between all machines: handshakes that need an endpoint, each other's keys and a way in both directions;
 * roaming to where authenticated packets come from; keepalives, and counters that grow by what arrives.
 */
export class Wires {
  readonly #time: Scheduler
  readonly #underlay: Underlay
  /** When packets went to where no machine is, by the machine that sent them. */
  readonly strays = new Map<string, number[]>()
  readonly #sides = new Map<Machine, Map<WireguardPublicKey, Side>>()

  constructor(time: Scheduler, underlay: Underlay) {
    this.#time = time
    this.#underlay = underlay
  }

  /** From now on the machine's tunnel does what time makes it do. */
  attach(machine: Machine): void {
    this.#sides.set(machine, new Map())
    const tick = () => {
      this.#tick(machine)
      this.#time.schedule(rekeyTimeoutMilliseconds, tick)
    }
    this.#time.schedule(this.#time.random() * rekeyTimeoutMilliseconds, tick)
  }

  /** The kernel took these steps. */
  applied(machine: Machine, plan: Plan): void {
    for (const step of plan) {
      if (step.kind === 'tunnel.create' || step.kind === 'tunnel.remove') this.forget(machine)
      if (step.kind === 'peer.remove') this.#sidesOf(machine).delete(step.publicKey)
      if (step.kind === 'peer.renew') this.#sidesOf(machine).delete(step.peer.publicKey)
      if (step.kind === 'peer.set' || step.kind === 'peer.renew') this.#begin(machine, step.peer.publicKey)
    }
  }

  /** Sessions live in the kernel: a machine without power has none. */
  forget(machine: Machine): void {
    this.#sidesOf(machine).clear()
  }

  /** A small word through the tunnel to each VTEP, whose kernel answers that nobody listens. */
  speak(machine: Machine, vteps: readonly IpAddress[]): void {
    for (const vtep of vteps) {
      const key = machine.kernel.tunnel?.owners.get(hostPrefix(vtep))
      if (key === undefined) continue
      if (this.#liveSession(machine, key) === null) {
        this.#side(machine, key).wantsUntil = this.#time.now() + rekeyAttemptMilliseconds
        this.#initiate(machine, key)
      } else
        this.#send(machine, key, bytesOf.word, to => this.#send(to, machine.publicKey, bytesOf.unreachable))
    }
  }

  /** A frame sent now would arrive. */
  passes(from: Machine, to: Machine): boolean {
    const session = this.#liveSession(from, to.publicKey)
    const destination = tunnelOf(from)?.peers.get(to.publicKey)?.endpoint ?? null
    if (session === null || destination === null || this.#at(destination) !== to) return false
    return this.#underlay.isOpen(from, to) && this.#liveSession(to, from.publicKey) === session
  }

  #begin(machine: Machine, key: WireguardPublicKey): void {
    // Without a keepalive there is nothing to send.
    if ((tunnelOf(machine)?.peers.get(key)?.keepaliveSeconds ?? 0) === 0) return
    if (this.#liveSession(machine, key) !== null) return
    this.#time.schedule(0, () => this.#initiate(machine, key))
  }

  #tick(machine: Machine): void {
    const tunnel = tunnelOf(machine)
    const sides = this.#sidesOf(machine)
    if (tunnel === null) return
    for (const key of sides.keys()) if (!tunnel.peers.has(key)) sides.delete(key)
    const now = this.#time.now()
    for (const [key, { keepaliveSeconds }] of tunnel.peers) {
      const session = this.#liveSession(machine, key)
      if (keepaliveSeconds === 0) {
        if (session === null && this.#side(machine, key).wantsUntil > now) this.#initiate(machine, key)
        continue
      }
      if (session === null || now - session.since >= rekeyAfterMilliseconds) this.#initiate(machine, key)
      if (session !== null && now - this.#side(machine, key).sentAt >= keepaliveSeconds * 1000)
        this.#send(machine, key, bytesOf.keepalive)
    }
  }

  /** Not sooner after the last one than WireGuard does; a peer made anew has forgotten that. */
  #initiate(from: Machine, key: WireguardPublicKey): void {
    const side = this.#side(from, key)
    const wait = side.initiatedAt + rekeyTimeoutMilliseconds - this.#time.now()
    if (wait > 0) {
      this.#initiateLater(from, key, wait)
      return
    }
    side.initiatedAt = this.#time.now()
    const route = this.#post(from, key, bytesOf.initiation)
    if (route === null) return
    const { to, source } = route
    this.#time.schedule(this.#underlay.delay(), () => {
      const tunnel = tunnelOf(to)
      const peer = tunnel?.peers.get(from.publicKey)
      if (tunnel === null || tunnel.publicKey !== key || peer === undefined) return
      // An initiation that holds counts and roams, whether or not its answer arrives.
      this.#heard(to, from.publicKey, bytesOf.initiation, source)
      const answers = this.#underlay.isOpen(to, from) && !this.#underlay.isLost()
      if (answers) this.#time.schedule(this.#underlay.delay(), () => this.#establish(from, to, source))
    })
  }

  #initiateLater(from: Machine, key: WireguardPublicKey, milliseconds: number): void {
    const side = this.#side(from, key)
    if (side.isWaiting) return
    side.isWaiting = true
    this.#time.schedule(milliseconds, () => {
      side.isWaiting = false
      const isCurrent = this.#sidesOf(from).get(key) === side
      if (isCurrent && this.#liveSession(from, key) === null) this.#initiate(from, key)
    })
  }

  #establish(from: Machine, to: Machine, source: Endpoint): void {
    const ours = tunnelOf(from)?.peers.get(to.publicKey)
    const theirs = tunnelOf(to)?.peers.get(from.publicKey)
    if (ours === undefined || theirs === undefined || this.#at(source) !== from) return
    if (ours.presharedKey !== theirs.presharedKey) return
    const session = { since: this.#time.now() }
    this.#side(from, to.publicKey).session = session
    this.#side(to, from.publicKey).session = session
    this.#heard(from, to.publicKey, bytesOf.response, ours.endpoint)
    this.#heard(to, from.publicKey, bytesOf.keepalive, source)
    from.kernel.measure(to.publicKey, { handshakeAt: from.wallSeconds() })
    to.kernel.measure(from.publicKey, { handshakeAt: to.wallSeconds() })
  }

  #send(
    from: Machine,
    key: WireguardPublicKey,
    bytes: number,
    arrived: (to: Machine) => void = () => {},
  ): void {
    const { session } = this.#side(from, key)
    const route = this.#post(from, key, bytes)
    if (route === null) return
    const { to, source } = route
    this.#time.schedule(this.#underlay.delay(), () => {
      if (tunnelOf(to)?.publicKey !== key || this.#liveSession(to, from.publicKey) !== session) return
      this.#heard(to, from.publicKey, bytes, source)
      arrived(to)
    })
  }

  /** Hands a packet to the underlay: who gets it, and where it will seem to come from. Null when nobody does. */
  #post(from: Machine, key: WireguardPublicKey, bytes: number): { to: Machine; source: Endpoint } | null {
    const tunnel = tunnelOf(from)
    const destination = tunnel?.peers.get(key)?.endpoint ?? null
    const port = tunnel?.listenPort ?? null
    if (destination === null || port === null) return null
    const side = this.#side(from, key)
    side.sentAt = this.#time.now()
    side.sent += bytes
    const to = this.#at(destination)
    if (to === undefined) this.#stray(from)
    if (to === undefined || to === from || !this.#underlay.isOpen(from, to) || this.#underlay.isLost())
      return null
    return { to, source: endpoint(from.address, port) }
  }

  #stray({ name }: Machine): void {
    const times = this.strays.get(name)
    if (times === undefined) this.strays.set(name, [this.#time.now()])
    else times.push(this.#time.now())
  }

  #heard(machine: Machine, key: WireguardPublicKey, bytes: number, source: Endpoint | null): void {
    const side = this.#side(machine, key)
    side.received += bytes
    const { received: receivedBytes, sent: sentBytes } = side
    const roamed = source === null ? {} : { endpoint: source }
    machine.kernel.measure(key, { receivedBytes, sentBytes, ...roamed })
  }

  #liveSession(machine: Machine, key: WireguardPublicKey): Side['session'] {
    const session = this.#sidesOf(machine).get(key)?.session ?? null
    return session !== null && this.#time.now() - session.since < rejectAfterMilliseconds ? session : null
  }

  /** The machine whose WireGuard listens there. */
  #at(place: Endpoint): Machine | undefined {
    const address = hostAddress(place)
    const machine = address === null ? undefined : this.#underlay.machineAt(address)
    return machine !== undefined && tunnelOf(machine)?.listenPort === (portOf(place) as Port)
      ? machine
      : undefined
  }

  #side(machine: Machine, key: WireguardPublicKey): Side {
    const sides = this.#sidesOf(machine)
    const known = sides.get(key)
    if (known !== undefined) return known
    const never = Number.NEGATIVE_INFINITY
    const side: Side = {
      session: null,
      sentAt: never,
      initiatedAt: never,
      isWaiting: false,
      wantsUntil: never,
      received: 0,
      sent: 0,
    }
    sides.set(key, side)
    return side
  }

  #sidesOf(machine: Machine): Map<WireguardPublicKey, Side> {
    const sides = this.#sides.get(machine)
    if (sides === undefined) throw new Error(`${machine.name} is on no wire`)
    return sides
  }
}

function tunnelOf(machine: Machine): Readonly<TunnelDraft> | null {
  const { tunnel } = machine.kernel
  return machine.isPowered && tunnel?.up === true && tunnel.publicKey !== null ? tunnel : null
}
