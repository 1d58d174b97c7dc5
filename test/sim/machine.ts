import type { Daemon } from '../../src/daemon/daemon.ts'
import { digest } from '../../src/mesh/derive.ts'
import type { InterfaceAddress, InterfaceName, IpAddress } from '../../src/model/address.ts'
import { prefixOf } from '../../src/model/address.ts'
import type { Configuration } from '../../src/model/configuration.ts'
import { sentenceOf } from '../../src/model/explanation.ts'
import type { Facts } from '../../src/model/facts.ts'
import type { MeshId, NodeId } from '../../src/model/node.ts'
import type { KeyFingerprint, WireguardPublicKey } from '../../src/model/wireguard-key.ts'
import type { MemoryGossipNetwork } from '../fake/gossip.ts'
import { FakeKernel } from '../fake/kernel.ts'
import { Disk } from './disk.ts'
import { Process } from './process.ts'
import type { Scheduler } from './scheduler.ts'
import type { Trace } from './trace.ts'
import type { Wires } from './wires.ts'

/** What all machines share. */
export interface World {
  readonly mesh: MeshId
  readonly time: Scheduler
  readonly network: MemoryGossipNetwork
  readonly wires: Wires
  readonly trace: Trace
  /** True while somebody from outside time looks: kernels answer at once. */
  readonly isLooking: boolean
  /** A daemon sealed this. */
  sealed(author: NodeId, envelope: Uint8Array): void
  /** How many of a hundred plans lose a step, and of a hundred looks fail. */
  readonly kernelFaultsPercent: number
  /** How many times longer than usual the tools take. */
  readonly kernelSlowness: number
}

export interface MachineOptions {
  readonly name: string
  readonly node: NodeId
  readonly publicKey: WireguardPublicKey
  readonly configuration: Configuration
  readonly bootstrap: readonly NodeId[]
  readonly addresses: readonly IpAddress[]
  readonly pathMtu: number
  /** How far the wall clock is off. */
  readonly clockOffsetSeconds: number
  /** How fast the clock runs: 1 is right. */
  readonly clockRate: number
}

/** The service manager starts a daemon again that could not start. */
const restartMilliseconds = 2000
/** 2026-11-22 10:30 UTC, when every world begins. */
const epochSeconds = Date.UTC(2026, 10, 22, 10, 30) / 1000

/** One machine: kernel and disk, which outlive its daemons, and the daemon that runs on it now. */
export class Machine {
  readonly name: string
  readonly node: NodeId
  readonly publicKey: WireguardPublicKey
  readonly disk = new Disk()
  kernel = new FakeKernel({ echo: true })
  configuration: Configuration
  bootstrap: readonly NodeId[]
  clockOffsetSeconds: number
  isPowered = true
  process: Process | null = null
  /** Why the last start failed. */
  refusal: string | null = null
  readonly clockRate: number
  /** On the underlay; packets leave from the first. The others are announced, whether or not they work. */
  addresses: readonly IpAddress[]
  /** Without it, no address is of use. */
  #hasCarrier = true
  readonly #pathMtu: number
  readonly #presharedKeys = new Map<WireguardPublicKey, KeyFingerprint>()
  readonly #world: World

  constructor(world: World, options: MachineOptions) {
    this.#world = world
    this.name = options.name
    this.node = options.node
    this.publicKey = options.publicKey
    this.configuration = options.configuration
    this.bootstrap = options.bootstrap
    this.addresses = options.addresses
    this.clockOffsetSeconds = options.clockOffsetSeconds
    this.clockRate = options.clockRate
    this.#pathMtu = options.pathMtu
  }

  get address(): IpAddress {
    const [address] = this.addresses
    if (address === undefined) throw new Error(`${this.name} has no address`)
    return address
  }

  seeCarrier(hasCarrier: boolean): void {
    if (hasCarrier === this.#hasCarrier) return
    this.#hasCarrier = hasCarrier
    this.kernel.fire('underlay')
  }

  get daemon(): Daemon {
    if (this.process === null) throw new Error(`${this.name} runs no daemon`)
    return this.process.daemon
  }

  wallSeconds(): number {
    return Math.floor(
      epochSeconds + this.clockOffsetSeconds + (this.#world.time.now() * this.clockRate) / 1000,
    )
  }

  facts(): Facts {
    const [first, ...dead] = this.addresses
    const addresses = [...dead, first as IpAddress].map(address => ({
      address,
      network: prefixOf(`${address}/24` as InterfaceAddress),
      interface: 'eth0' as InterfaceName,
      kind: 'physical' as const,
    }))
    return { addresses: this.#hasCarrier ? addresses : [], pathMtu: this.#pathMtu, waysOut: ['eth0'] }
  }

  presharedKey(other: WireguardPublicKey): KeyFingerprint {
    const known = this.#presharedKeys.get(other)
    if (known !== undefined) return known
    const key = presharedKey(this.#world.mesh, this.publicKey, other)
    this.#presharedKeys.set(other, key)
    return key
  }

  /** Starts a daemon; it is up some time later. */
  start(): void {
    if (this.process !== null) throw new Error(`${this.name} runs already`)
    this.isPowered = true
    const process = new Process(this.#world, this)
    this.process = process
    void process.daemon.start().then(result => {
      this.refusal = result.ok ? null : sentenceOf(result.failure)
      if (result.ok) return
      this.crash()
      this.#world.time.schedule(
        restartMilliseconds,
        () => this.isPowered && this.process === null && this.start(),
      )
    })
  }

  /** The daemon is gone between two instructions. Kernel and disk stay as they are. */
  crash(): void {
    this.process?.end()
    this.process = null
  }

  /** The kernel forgets everything, and nobody is told. */
  powerOff(): void {
    this.crash()
    this.isPowered = false
    this.kernel = new FakeKernel({ echo: true })
    this.#world.wires.forget(this)
  }
}

/** The same for both sides of a pair, another for every pair. */
function presharedKey(mesh: MeshId, a: WireguardPublicKey, b: WireguardPublicKey): KeyFingerprint {
  const [low, high] = a < b ? [a, b] : [b, a]
  return Buffer.from(digest('preshared', mesh, low, high))
    .toString('hex')
    .slice(0, 16) as KeyFingerprint
}
