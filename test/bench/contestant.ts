import { createLab, type Lab, type LabOptions } from '../lab/lab.ts'
import type { LabNode } from '../lab/node.ts'

/** One way to make a network of machines: lnet, and what it is compared with. */
export interface Contestant {
  readonly name: string
  /** Whether this machine has what it needs. */
  isInstalled(): boolean
  /** Machines that are ready to start: keys made, files written, nothing running. */
  prepare(nodes: number): Promise<Net>
}

/** Machines on a switch. Indexes count from 1; the first is whom the others know. */
export interface Net {
  readonly lab: Lab
  /** Starts a node, and returns at once; `others` are those it will meet. */
  start(index: number, others: readonly number[]): void
  /** The programs that make up its control plane, by name; empty when it has none. */
  readonly daemons: readonly string[]
  readonly ports: Ports
}

/** How its traffic is told apart on the wire. */
export interface Ports {
  /** UDP. */
  readonly tunnel: number
  /** TCP; null when there is none. */
  readonly gossip: number | null
}

/** Every contestant gives a node the same IPv4 address inside. */
export function insideAddress(index: number): string {
  return `192.168.102.${index}`
}

export function labOf(nodes: number, configure?: LabOptions['configure']): Promise<Lab> {
  return createLab({ nodes, ...(configure === undefined ? {} : { configure }) })
}

export function nodeAt({ lab }: Pick<Net, 'lab'>, index: number): LabNode {
  const node = lab.nodes[index - 1]
  if (node === undefined) throw new Error(`the lab has no node ${index}`)
  return node
}

export function oneTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1)
}
