import {
  compareAddresses,
  compareText,
  type InterfaceName,
  type IpAddress,
  parseIpAddress,
  parseMacAddress,
} from '../../model/address.ts'
import type { Result } from '../../model/failure.ts'
import type { UnicastEntry } from '../../model/kernel-state.ts'
import { documents, type Fields, objects, optionalText, reading } from './fields.ts'
import { remembered } from './remembered.ts'

/** Where a segment sends what. */
export interface ForwardingTable {
  /** Sorted, without duplicates. */
  readonly flood: readonly IpAddress[]
  /** Sorted by MAC. */
  readonly unicast: readonly UnicastEntry[]
}

/** The static entries of some segments, from `bridge -json fdb show`. Learned ones age by themselves. */
export function readForwarding(
  output: string,
  segments: ReadonlySet<InterfaceName>,
): Result<ReadonlyMap<InterfaceName, ForwardingTable>> {
  return reading('bridge fdb', () => {
    const found = new Map(
      [...segments].map(segment => [segment, { flood: new Set<IpAddress>(), unicast: [] as UnicastEntry[] }]),
    )
    for (const fields of objects(documents(output, 1)[0], 'fdb')) {
      const table = found.get((optionalText(fields, 'ifname') ?? '') as InterfaceName)
      if (table !== undefined) enter(fields, table)
    }
    return new Map(Array.from(found, ([segment, table]) => [segment, sorted(table)]))
  })
}

const rememberedAddress = remembered(parseIpAddress)

interface Draft {
  readonly flood: Set<IpAddress>
  readonly unicast: UnicastEntry[]
}

/** Entries without a destination are the device's own MACs. */
function enter(fields: Fields, table: Draft): void {
  const state = optionalText(fields, 'state')
  const vtep = rememberedAddress(optionalText(fields, 'dst') ?? '')
  if (vtep === null || (state !== 'static' && state !== 'permanent')) return
  const written = optionalText(fields, 'mac') ?? ''
  if (written === '00:00:00:00:00:00') {
    table.flood.add(vtep)
    return
  }
  const mac = parseMacAddress(written)
  if (mac !== null) table.unicast.push({ mac, vtep })
}

function sorted({ flood, unicast }: Draft): ForwardingTable {
  return {
    flood: [...flood].sort(compareAddresses),
    unicast: unicast.sort((a, b) => compareText(a.mac, b.mac)),
  }
}
