import { bootstrapRestMilliseconds, type DialTarget } from '../mesh/redial.ts'
import type { BootstrapPlace } from '../model/configuration.ts'
import {
  addressesPerPlaceMax,
  discoveredNodesMax,
  discoveredNodesPerSenderMax,
  neighboursEnough,
} from '../model/limits.ts'
import type { NodeId } from '../model/node.ts'
import type { AddressSource, Admits } from './interfaces.ts'
import { bootstrapAddresses, bootstrapKey, dialableAddresses, type Resolve } from './places.ts'
import type { DialCandidate } from './port.ts'

/** A target and where it may be found. */
export interface Target extends DialTarget {
  /** Null: whoever answers there. */
  readonly node: NodeId | null
  /** Where it may be dialled now, names resolved anew each time. One rejects when its name does not resolve. */
  addresses(): readonly Promise<readonly string[]>[]
}

/** What was heard of a node by multicast, and from which host. */
interface Found {
  readonly addresses: readonly string[]
  readonly sender: string
}

/** The addresses that others named and that may be dialled now, each by itself, names resolved. */
export function admitted(
  addresses: readonly string[],
  author: NodeId,
  source: AddressSource,
  resolve: Resolve,
  admits: Admits,
): readonly Promise<readonly string[]>[] {
  return addresses
    .slice(0, addressesPerPlaceMax)
    .map(async address =>
      (await dialableAddresses(address, author, resolve)).filter(found => admits(found, source)),
    )
}

/** What was learnt of places by dialling them. */
export class TargetBook {
  private readonly bootstrap: readonly BootstrapPlace[]
  private readonly resolve: Resolve
  private readonly admits: Admits
  private readonly leadsHere: (address: string) => boolean
  /** Who answered at a bootstrap place, and when. */
  private readonly reached = new Map<string, { readonly node: NodeId; readonly at: number }>()
  private readonly found = new Map<NodeId, Found>()
  /** Bootstrap places that turned out to be this node. */
  private readonly ourselves = new Set<string>()

  constructor(
    bootstrap: readonly BootstrapPlace[],
    resolve: Resolve,
    admits: Admits,
    leadsHere: (address: string) => boolean = () => false,
  ) {
    this.leadsHere = leadsHere
    this.bootstrap = bootstrap
    this.resolve = resolve
    this.admits = admits
  }

  /** Everything worth dialling that is not connected, in order of preference. */
  targets(
    candidates: readonly DialCandidate[],
    self: string,
    connected: ReadonlySet<string>,
    now: number,
  ): readonly Target[] {
    const known = candidates.map(candidate => this.candidateTarget(candidate, 'node'))
    const keys = new Set(known.map(({ key }) => key))
    const found = [...this.found]
      .map(([node, { addresses }]) => this.candidateTarget({ node, addresses, wanted: false }, 'lan'))
      .filter(({ key }) => !keys.has(key))
    const members = [...known, ...found].filter(({ key }) => key !== self && !connected.has(key))
    const rest = bootstrapRestMilliseconds(candidates.length)
    return [...this.bootstrapTargets(connected, now, rest), ...members]
  }

  /** Found by other means than an announcement. */
  discovered(node: NodeId, addresses: readonly string[], sender: string): void {
    this.found.delete(node)
    const ofSender = [...this.found].filter(([, found]) => found.sender === sender)
    const [oldest] = ofSender.length >= discoveredNodesPerSenderMax ? ofSender : this.found
    const isFull = ofSender.length >= discoveredNodesPerSenderMax || this.found.size >= discoveredNodesMax
    if (isFull && oldest !== undefined) this.found.delete(oldest[0])
    this.found.set(node, { addresses, sender })
  }

  answered(key: string, node: NodeId, now: number): void {
    this.reached.set(key, { node, at: now })
  }

  isOurselves(key: string): void {
    this.ourselves.add(key)
  }

  isOwnPlace(key: string): boolean {
    return this.ourselves.has(key)
  }

  /** Bootstrap places that are this node itself, as configured. */
  ownPlaces(): readonly string[] {
    return [...this.ourselves]
  }

  /** This node's own addresses may have changed. */
  forgetOurselves(): void {
    this.ourselves.clear()
  }

  isConnected(key: string, connected: ReadonlySet<string>): boolean {
    return connected.has(key) || connected.has(this.reached.get(key)?.node ?? '')
  }

  private candidateTarget({ node, addresses, wanted }: DialCandidate, source: AddressSource): Target {
    const { resolve, admits } = this
    return { key: node, node, wanted, addresses: () => admitted(addresses, node, source, resolve, admits) }
  }

  /** With enough neighbours a bootstrap place is asked rarely: then only to hear of another part of a split mesh. */
  private bootstrapTargets(connected: ReadonlySet<string>, now: number, rest: number): readonly Target[] {
    return this.bootstrap.flatMap(place => {
      const key = bootstrapKey(place)
      if (this.ourselves.has(key) || this.isConnected(key, connected)) return []
      const reached = this.reached.get(key)
      const rested = reached === undefined || now - reached.at > rest
      if (connected.size >= neighboursEnough && !rested) return []
      return [{ key, node: null, wanted: true, addresses: () => [this.bootstrapAddresses(place)] }]
    })
  }

  private async bootstrapAddresses(place: BootstrapPlace): Promise<readonly string[]> {
    const addresses = await bootstrapAddresses(place, this.resolve)
    if (addresses.length > 0 && addresses.every(this.leadsHere)) this.isOurselves(bootstrapKey(place))
    return addresses.filter(address => this.admits(address, 'operator'))
  }
}
