import { digest } from '../../src/mesh/derive.ts'
import type { IpAddress } from '../../src/model/address.ts'
import type { KernelState } from '../../src/model/kernel-state.ts'
import type { MeshId, NodeId } from '../../src/model/node.ts'
import { MemoryGossipNetwork, type NetworkConditions } from '../fake/gossip.ts'
import { type Chance, createChance } from './chance.ts'
import { Machine, type World } from './machine.ts'
import {
  configurationOf,
  deadAddress,
  type NodeOptions,
  nodeIdOf,
  publicKeyOf,
  underlayAddress,
} from './nodes.ts'
import { Scheduler, settle } from './scheduler.ts'
import { Trace } from './trace.ts'
import { Wires } from './wires.ts'

export interface SimulatorOptions {
  readonly seed: number | string
  readonly conditions?: Partial<NetworkConditions>
}

/** Seconds, in the world. */
export interface Span {
  readonly seconds: number
}

/**
 * A mesh of real daemons in a world of its own: time, chance, underlay, WireGuard, kernels and disks are the
 * simulator's. The same seed and the same calls give the same run.
 */
export class Simulator {
  readonly seed: string
  readonly chance: Chance
  readonly time: Scheduler
  readonly trace = new Trace()
  readonly network: MemoryGossipNetwork
  readonly wires: Wires
  readonly mesh: MeshId
  /** Every envelope a daemon really sealed, by author. */
  readonly sealed = new Map<NodeId, Uint8Array[]>()
  kernelFaultsPercent = 0
  kernelSlowness = 1
  readonly #machines = new Map<string, Machine>()
  readonly #byAddress = new Map<IpAddress, Machine>()
  readonly #world: World
  #groups: string[][] | null = null
  #isLooking = false
  #moves = 0

  constructor(options: SimulatorOptions) {
    this.seed = String(options.seed)
    this.chance = createChance(`${this.seed}/story`)
    this.time = new Scheduler(createChance(`${this.seed}/world`).next)
    this.network = new MemoryGossipNetwork(this.time, options.conditions)
    this.mesh = Buffer.from(digest('sim mesh', this.seed)).toString('hex').slice(0, 32) as MeshId
    this.wires = this.#createWires()
    this.#world = this.#createWorld()
  }

  #createWires(): Wires {
    return new Wires(this.time, {
      machineAt: address => this.#byAddress.get(address),
      isOpen: (from, to) => from.isPowered && to.isPowered && this.network.reaches(from.node, to.node),
      delay: () => {
        const { min, max } = this.network.conditions.delay
        return min + this.time.random() * (max - min)
      },
      isLost: () => this.network.conditions.loss > 0 && this.time.random() < this.network.conditions.loss,
    })
  }

  #createWorld(): World {
    const simulator = this
    const { mesh, time, network, wires, trace } = this
    return {
      ...{ mesh, time, network, wires, trace },
      get isLooking() {
        return simulator.#isLooking
      },
      get kernelFaultsPercent() {
        return simulator.kernelFaultsPercent
      },
      get kernelSlowness() {
        return simulator.kernelSlowness
      },
      sealed: (author, envelope) => {
        const words = simulator.sealed.get(author)
        if (words === undefined) simulator.sealed.set(author, [envelope])
        else words.push(envelope)
      },
    }
  }

  /** A new machine, whose daemon starts now. */
  node(name: string, options: NodeOptions = {}): Machine {
    const machine = this.machine(name, options)
    machine.start()
    return machine
  }

  /** A new machine, on which no daemon runs yet. */
  machine(name: string, options: NodeOptions = {}): Machine {
    if (this.#machines.has(name)) throw new Error(`there is a node ${name}`)
    const number = this.#machines.size
    const dead = Array.from({ length: options.deadAddresses ?? 0 }, (_, index) => deadAddress(number, index))
    const address = underlayAddress(number)
    const bootstrap = [options.bootstrap ?? []].flat()
    const machine = new Machine(this.#world, {
      name,
      node: nodeIdOf(this.seed, name),
      publicKey: publicKeyOf(this.seed, name),
      configuration: configurationOf(name, bootstrap, options),
      bootstrap: bootstrap.map(other => nodeIdOf(this.seed, other)),
      addresses: [address, ...dead],
      pathMtu: options.pathMtu ?? 1500,
      clockOffsetSeconds: options.clockOffsetSeconds ?? 0,
      clockRate: options.clockRate ?? 1,
    })
    this.#machines.set(name, machine)
    this.#byAddress.set(address, machine)
    this.wires.attach(machine)
    this.#takeSide(name, options.near)
    return machine
  }

  /** All machines, in the order they were made. */
  get machines(): readonly Machine[] {
    return [...this.#machines.values()]
  }

  /** Those whose daemons run. */
  get running(): readonly Machine[] {
    return this.machines.filter(({ process }) => process !== null)
  }

  at(name: string): Machine {
    const machine = this.#machines.get(name)
    if (machine === undefined) throw new Error(`there is no node ${name}`)
    return machine
  }

  run({ seconds }: Span): Promise<void> {
    return this.time.run(seconds * 1000)
  }

  /** Looks without time passing. */
  async look<Value>(question: () => Promise<Value>): Promise<Value> {
    this.#isLooking = true
    try {
      const answer = await question()
      await settle()
      return answer
    } finally {
      this.#isLooking = false
    }
  }

  // What happens to daemons.

  start(name: string): void {
    const machine = this.at(name)
    if (this.network.find(machine.node) !== undefined) this.network.up(machine.node)
    machine.start()
  }

  /** As SIGTERM does. */
  async stop(name: string): Promise<void> {
    await this.time.complete(this.at(name).daemon.stop())
    this.at(name).crash()
  }

  /** As SIGKILL does. */
  crash(name: string): void {
    this.at(name).crash()
  }

  /** As pulling the plug does: gossip connections and tunnels hang, nobody is told. */
  powerOff(name: string): void {
    const machine = this.at(name)
    if (this.network.find(machine.node) !== undefined) this.network.down(machine.node)
    machine.powerOff()
  }

  /** As SIGSTOP does, or a suspend to memory: then the machine is gone from the network, too. */
  freeze(name: string, reason: 'stopped' | 'asleep'): void {
    const machine = this.at(name)
    machine.process?.freeze()
    this.network.freeze(machine.node)
    if (reason === 'asleep') this.unplug(name)
  }

  thaw(name: string, reason: 'stopped' | 'asleep'): void {
    const machine = this.at(name)
    machine.process?.thaw(reason === 'asleep')
    this.network.thaw(machine.node)
    if (reason === 'asleep') this.plug(name)
  }

  /** `lnetctl leave`: farewell, and the data plane goes. */
  async leave(name: string): Promise<void> {
    await this.time.complete(this.at(name).daemon.leave())
    this.at(name).crash()
  }

  /** `lnetctl down`. */
  async down(name: string): Promise<void> {
    await this.time.complete(this.at(name).daemon.down())
    this.at(name).crash()
  }

  /** The machine gets another address. */
  move(name: string): IpAddress {
    const machine = this.at(name)
    this.#moves += 1
    const address = underlayAddress(4096 + this.#moves)
    this.#byAddress.delete(machine.address)
    machine.addresses = [address, ...machine.addresses.slice(1)]
    this.#byAddress.set(address, machine)
    machine.kernel.fire('underlay')
    return address
  }

  /** Somebody with root changes what lnet put into the kernel. `told`: by an event, as of all but WireGuard. */
  meddle(name: string, change: (state: KernelState) => KernelState, told = true): void {
    const { kernel } = this.at(name)
    kernel.meddle(change, told ? 'ours' : null)
  }

  // What happens to the network.

  /** A cable on the way to a machine: nothing goes out or in. `told`: it is in the machine itself, which sees that. */
  unplug(name: string, told = false): void {
    this.network.down(this.at(name).node)
    if (told) this.at(name).seeCarrier(false)
  }

  plug(name: string): void {
    this.network.up(this.at(name).node)
    this.at(name).seeCarrier(true)
  }

  partition(...groups: readonly (readonly string[])[]): void {
    this.#groups = groups.map(group => [...group])
    this.network.partition(groups.map(group => group.map(name => this.at(name).node)))
  }

  /** Nothing passes from one to the other; the way back stays open. */
  cut(from: string, to: string): void {
    this.network.cut(this.at(from).node, this.at(to).node)
  }

  heal(): void {
    this.#groups = null
    this.network.heal()
  }

  weather(conditions: Partial<NetworkConditions>): void {
    this.network.conditions = { ...this.network.conditions, ...conditions }
  }

  #takeSide(name: string, near: string | undefined): void {
    if (this.#groups === null || near === undefined) return
    const groups = this.#groups.map(group => (group.includes(near) ? [...group, name] : group))
    this.partition(...groups)
  }
}
