import assert from 'node:assert/strict'
import { derivedAddress, segmentMac, vtepPrefix } from '../../src/mesh/derive.ts'
import { vni } from '../mesh/world.ts'
import type { Machine } from './machine.ts'
import type { Simulator } from './simulator.ts'

/** Entries of a kernel, in words. */
export type Content = readonly string[]

/** All entries of a kernel that somebody could miss. */
export function contentOf({ kernel: { state } }: Machine): Content {
  return [
    ...(state.tunnel?.addresses ?? []),
    ...(state.tunnel?.peers.map(({ publicKey, allowedIps }) => `${publicKey} ${allowedIps}`) ?? []),
    ...state.routes.map(({ prefix, device }) => `${prefix} ${device}`),
    ...state.segments.flatMap(segment => [
      ...segment.addresses,
      ...segment.flood.map(vtep => `flood ${vtep}`),
      ...segment.unicast.map(({ mac, vtep }) => `${mac} ${vtep}`),
      ...segment.neighbours.map(({ address, mac }) => `${address} ${mac}`),
    ]),
  ]
}

/** Nothing that was there is gone. */
export function expectKept(machine: Machine, before: Content, now: number): void {
  const current = new Set(contentOf(machine))
  const lost = before.filter(entry => !current.has(entry))
  assert.deepEqual(lost, [], `${machine.name} lost entries at ${now / 1000} s`)
}

/** On the tunnel and the segments. */
export function addressesOf({ kernel: { state } }: Machine): Content {
  return [...(state.tunnel?.addresses ?? []), ...state.segments.flatMap(({ addresses }) => addresses)]
}

/** Neither key, MAC nor VTEP of a node that left is anywhere in a kernel. */
export function expectWithout(sim: Simulator, name: string, gone: string): void {
  const { publicKey, node } = sim.at(gone)
  const traces = [publicKey, segmentMac(node, vni), derivedAddress(node, vtepPrefix(sim.mesh))]
  const found = contentOf(sim.at(name)).filter(entry => traces.some(trace => entry.includes(trace)))
  assert.deepEqual(found, [], `${name} still has ${gone} at ${sim.time.now() / 1000} s`)
}

/** One has the other as a WireGuard peer, or has not. */
export function expectPeer(sim: Simulator, name: string, other: string, there: boolean): void {
  const peers = sim.at(name).kernel.state.tunnel?.peers.map(({ publicKey }) => publicKey) ?? []
  const key = sim.at(other).publicKey
  assert.equal(peers.includes(key), there, `${other} in the kernel of ${name}`)
}
