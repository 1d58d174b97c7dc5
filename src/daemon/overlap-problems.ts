import { refusedPrefixes } from '../mesh/overlaps.ts'
import { hostPrefix } from '../model/address.ts'
import type { Overlap } from '../model/foreign-network.ts'
import { degraded, noticed, type Problem } from '../model/problem.ts'
import type { DaemonParts } from './parts.ts'
import type { State } from './state.ts'

/** Networks of the mesh that this machine uses otherwise, and what that means here. */
export function overlapProblems({ overlaps, configuration }: State): readonly Problem[] {
  return overlaps.map(overlap => problemOf(overlap, configuration.tunnel.interface))
}

/** In a network that uses the mesh's addresses otherwise, they are where others find this machine. */
export function createOverlapNews(parts: DaemonParts, state: State, changed: () => void): () => void {
  let told = ''
  return () => {
    const prefixes = refusedPrefixes(state.overlaps)
    const text = [...prefixes].join()
    if (text === told) return
    told = text
    parts.networksRefused?.(prefixes)
    changed()
  }
}

function problemOf({ prefix, interface: device, foreign, isKept }: Overlap, tunnel: string): Problem {
  const { network, address, device: other } = foreign
  const isAddress = address !== null && network === hostPrefix(address)
  const theirs = isAddress ? `this machine's address ${address}` : `the network ${network}`
  const what = `the network ${prefix} of ${device} overlaps ${theirs} on ${other}`
  const where = device === tunnel ? 'tunnel.prefix' : `the prefix of segment ${device}`
  const remedy = `set ${where} to another network on every node, or take ${other} off this one`
  if (isKept) return noticed('network-overlaps', prefix, what, { why: `it goes on in ${prefix}`, remedy })
  const outcome = device === tunnel ? 'the tunnel does not use it' : `${device} has no address in it`
  const why = `${outcome} meanwhile, because this machine would lose what ${other} leads to`
  return degraded('network-overlaps', prefix, what, { why, remedy })
}
