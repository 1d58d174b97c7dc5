import { digest } from '../../src/mesh/derive.ts'
import {
  type HostPort,
  type InterfaceName,
  type IpAddress,
  type Port,
  parseIpAddress,
} from '../../src/model/address.ts'
import type { Configuration } from '../../src/model/configuration.ts'
import type { KernelState } from '../../src/model/kernel-state.ts'
import { type MeshId, type NodeId, type NodeName, parseNodeId } from '../../src/model/node.ts'
import { parseWireguardPublicKey, type WireguardPublicKey } from '../../src/model/wireguard-key.ts'
import { MemoryGossipNetwork, type NetworkConditions } from '../fake/gossip.ts'
import { configuration, segmentConfiguration, sure, tunnelConfiguration } from '../mesh/world.ts'
import { type Chance, createChance } from './chance.ts'
import { Machine, type World } from './machine.ts'
import { Scheduler, settle } from './scheduler.ts'
import { Trace } from './trace.ts'
import { Wires } from './wires.ts'

export interface SimulatorOptions {
  readonly seed: number | string
  readonly conditions?: Partial<NetworkConditions>
}

export interface NodeOptions {
  /** Names of nodes it is told of, running or not. */
  readonly bootstrap?: string | readonly string[]
  /** On the side of the partition this node is on. */
  readonly near?: string
  readonly tunnel?: Partial<Configuration['tunnel']>
  readonly segment?: Partial<Configuration['segments'][number]>
  readonly heartbeatSeconds?: number
  readonly pathMtu?: number
  readonly clockOffsetSeconds?: number
  readonly clockRate?: number
  /** Addresses it announces where nothing answers, ahead of the good one. */
  readonly deadAddresses?: number
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
    this.wires = new Wires(this.time, {
      machineAt: address => this.#byAddress.get(address),
      isOpen: (from, to) => from.isPowered && to.isPowered && this.network.reaches(from.node, to.node),
      delay: () => {
        const { min, max } = this.network.conditions.delay
        return min + this.time.random() * (max - min)
      },
      isLost: () => this.network.conditions.loss > 0 && this.time.random() < this.network.conditions.loss,
    })
    this.#world = this.#createWorld()
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
    const dead = Array.from({ length: options.deadAddresses ?? 0 }, (_, index) =>
      sure(parseIpAddress(`198.19.${number >> 8}.${((number & 255) + 7 * (index + 1)) & 255}`)),
    )
    const address = underlayAddress(number)
    const bootstrap = [options.bootstrap ?? []].flat()
    const machine = new Machine(this.#world, {
      name,
      node: nodeIdOf(this.seed, name),
      publicKey: publicKeyOf(this.seed, name),
      configuration: this.#configuration(name, bootstrap, options),
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

  #configuration(name: string, bootstrap: readonly string[], options: NodeOptions): Configuration {
    return configuration(0, {
      name: name as NodeName,
      bootstrap: bootstrap.map(other => ({ kind: 'host', place: `${other}.test:51821` as HostPort })),
      gossip: { port: 51_821 as Port, heartbeatSeconds: options.heartbeatSeconds ?? 60 },
      tunnel: tunnelConfiguration(options.tunnel),
      segments: [segmentConfiguration(options.segment)],
    })
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

/** `a`, `b`, ... `z`, `a1`, `b1`, ... */
export function names(count: number): string[] {
  return Array.from({ length: count }, (_, index) => {
    const round = Math.floor(index / 26)
    return `${String.fromCharCode(97 + (index % 26))}${round === 0 ? '' : round}`
  })
}

/** The interface of every segment here. */
export const segmentInterface = 'vlnet0' as InterfaceName

export function nodeIdOf(seed: string, name: string): NodeId {
  const base58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
  const bytes = [...digest('sim node', seed, name), ...digest('sim node again', seed, name)]
  const text = bytes.slice(0, 44).map(byte => base58[byte % 58])
  return sure(parseNodeId(`12D3KooW${text.join('')}`))
}

export function publicKeyOf(seed: string, name: string): WireguardPublicKey {
  return sure(parseWireguardPublicKey(Buffer.from(digest('sim key', seed, name)).toString('base64')))
}

/** In networks of 200, so that some are on one LAN. */
function underlayAddress(number: number): IpAddress {
  return sure(parseIpAddress(`198.18.${Math.floor(number / 200)}.${1 + (number % 200)}`))
}
