import { addressOf, hostPrefix, type IpAddress } from '../../src/model/address.ts'
import { emptyKernelState } from '../../src/model/kernel-state.ts'
import type { Sight } from './checks.ts'

/** What one node's kernel holds, ready to be asked about others. */
interface Entries {
  readonly sight: Sight
  readonly name: string
  readonly vtep: IpAddress | null
  readonly mac: string | null
  /** Really on its segment's device. */
  readonly overlay: readonly IpAddress[]
  readonly allowedIps: ReadonlyMap<string, readonly string[]>
  readonly flood: ReadonlySet<IpAddress>
  readonly unicast: ReadonlyMap<string, IpAddress>
  readonly neighbours: ReadonlyMap<IpAddress, string>
}

/** Every two nodes have each other in their kernels, in both directions, and nobody who is not there. */
export function* pairViolations(sights: readonly Sight[]): Generator<string> {
  const all = sights.map(entriesOf)
  for (const a of all) for (const b of all) if (a !== b) yield* lacks(a, b)
  const vteps = new Set(all.map(({ vtep }) => vtep))
  const present = new Set(all.flatMap(({ overlay }) => overlay))
  for (const { name, flood, neighbours, sight } of all) {
    for (const vtep of flood)
      if (!vteps.has(vtep) && !isMemberVtep(sight, vtep)) yield `${name} floods to ${vtep}, where nobody is`
    for (const [address, mac] of neighbours) {
      if (present.has(address) || isElsewhere(sight, sights, mac)) continue
      yield `${name} knows ${address} as ${mac}, which is on no device`
    }
  }
}

function entriesOf(sight: Sight): Entries {
  const { tunnel, segments } = sight.state.tunnel === null ? emptyKernelState : sight.state
  const [segment] = segments
  const vtep = tunnel?.addresses[0]
  return {
    sight,
    name: sight.machine.name,
    vtep: vtep === undefined ? null : addressOf(vtep),
    mac: segment?.mac ?? null,
    overlay: segment?.addresses.map(addressOf) ?? [],
    allowedIps: new Map(tunnel?.peers.map(({ publicKey, allowedIps }) => [publicKey, allowedIps]) ?? []),
    flood: new Set(segment?.flood ?? []),
    unicast: new Map(segment?.unicast.map(({ mac, vtep: behind }) => [mac, behind]) ?? []),
    neighbours: new Map(segment?.neighbours.map(({ address, mac }) => [address, mac]) ?? []),
  }
}

function* lacks(a: Entries, b: Entries): Generator<string> {
  if (b.vtep === null || b.mac === null) return yield `${b.name} has no tunnel or no segment`
  const allowed = a.allowedIps.get(b.sight.machine.publicKey)
  if (allowed === undefined) yield `${a.name} has no WireGuard peer ${b.name}`
  else if (!allowed.includes(hostPrefix(b.vtep))) yield `${a.name} does not send ${b.vtep} to ${b.name}`
  if (!a.flood.has(b.vtep)) yield `${a.name} does not flood to ${b.name}`
  if (a.unicast.get(b.mac) !== b.vtep) yield `${a.name} does not reach the MAC of ${b.name}`
  for (const address of b.overlay) {
    const mac = a.neighbours.get(address)
    if (mac !== b.mac) yield `${a.name} knows ${address} of ${b.name} as ${mac ?? 'nothing'}`
  }
}

/** A member that is silent may be in the kernel still: its tunnel is the second witness. */
function isMemberVtep({ snapshot }: Sight, vtep: IpAddress): boolean {
  return [...snapshot.membership.values()].some(
    ({ announcement }) => !announcement.left && announcement.vtep === vtep,
  )
}

/** Of a member that is not among those looked at. */
function isElsewhere({ snapshot }: Sight, sights: readonly Sight[], mac: string): boolean {
  const seen = new Set(sights.map(({ machine }) => machine.node))
  return [...snapshot.membership.values()].some(
    ({ announcement: { node, left, segments } }) =>
      !left && !seen.has(node) && segments.some(segment => segment.mac === mac),
  )
}
