import { createDaemon, type Daemon } from '../../src/daemon/daemon.ts'
import type { Gossip, GossipHandlers } from '../../src/gossip/port.ts'
import type { Clock } from '../../src/host/clock.ts'
import { ok } from '../../src/model/failure.ts'
import { Standstill } from '../fake/standstill.ts'
import type { Machine, World } from './machine.ts'
import { SlowKernel } from './slow-kernel.ts'

/** One run of a daemon. When it ends, nothing that was under way goes on. */
export class Process {
  readonly daemon: Daemon
  isAlive = true
  readonly #world: World
  readonly #startedAt: number
  #gossip: Gossip | null = null
  readonly #standstill = new Standstill()
  #stoodAt = 0
  #asleepMilliseconds = 0

  constructor(world: World, machine: Machine) {
    this.#world = world
    this.#startedAt = world.time.now()
    const kernel = new SlowKernel(world, machine, this)
    this.daemon = createDaemon({
      configuration: machine.configuration,
      mesh: world.mesh,
      node: machine.node,
      publicKey: machine.publicKey,
      software: '0.0.0',
      presharedKey: key => machine.presharedKey(key),
      clock: this.#clock(machine),
      log: world.trace.log(machine.name, () => world.time.now()),
      kernel,
      startGossip: async handlers => ok(this.#join(machine, handlers)),
      archive: machine.disk.open(
        () => machine.wallSeconds(),
        () => this.sleep(1 + world.time.random() * 4),
      ),
      hosts: { keep: async () => ok(undefined) },
      facts: () => machine.facts(),
      resolved: () => [],
    })
  }

  end(): void {
    this.isAlive = false
    void this.#gossip?.stop()
  }

  sleep(milliseconds: number): Promise<void> {
    return new Promise(resolve => this.after(milliseconds, resolve))
  }

  after(milliseconds: number, action: () => void): () => void {
    let cancelled = false
    const cancel = this.#world.time.schedule(milliseconds, () =>
      this.#standstill.pass(() => {
        if (this.isAlive && !cancelled) action()
      }),
    )
    return () => {
      cancelled = true
      cancel()
    }
  }

  freeze(): void {
    this.#stoodAt = this.#world.time.now()
    this.#standstill.begin()
  }

  /** The monotonic clock went on while the process was stopped, and stood still while the machine was asleep. */
  thaw(wasAsleep: boolean): void {
    const { time } = this.#world
    if (wasAsleep) this.#asleepMilliseconds += time.now() - this.#stoodAt
    this.#standstill.end(action => time.schedule(0, action))
  }

  /** A process's own monotonic clock begins with it. */
  #clock(machine: Machine): Clock {
    const { time } = this.#world
    return {
      now: () => (time.now() - this.#startedAt - this.#asleepMilliseconds) * machine.clockRate,
      wallSeconds: () => machine.wallSeconds(),
      uptimeSeconds: () => time.now() / 1000,
      setTimer: (milliseconds, action) => this.after(milliseconds / machine.clockRate, action),
      random: time.random,
    }
  }

  #join(machine: Machine, handlers: GossipHandlers): Gossip {
    const { network, sealed } = this.#world
    const gossip = network.join(machine.node, handlers, machine.bootstrap)
    this.#gossip = gossip
    return {
      node: gossip.node,
      seal: async payload => {
        const envelope = await gossip.seal(payload)
        sealed(machine.node, envelope)
        return envelope
      },
      open: envelope => gossip.open(envelope),
      publish: envelope => gossip.publish(envelope),
      neighbours: () => gossip.neighbours(),
      dials: () => gossip.dials(),
      ownPlaces: () => gossip.ownPlaces(),
      reaches: node => gossip.reaches(node),
      lookForTwin: addresses => gossip.lookForTwin(addresses),
      redial: () => gossip.redial(),
      stop: () => gossip.stop(),
    }
  }
}
