import {
  compareAddresses,
  compareText,
  type InterfaceName,
  type IpAddress,
  type MacAddress,
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
  /** MACs that a bridge looks for behind the segment as its port. Sorted. */
  readonly portMacs: readonly MacAddress[]
}

/** The static entries of some segments, from `bridge -json fdb show`. Learned ones age by themselves. */
export function readForwarding(
  output: string,
  segments: ReadonlySet<InterfaceName>,
): Result<ReadonlyMap<InterfaceName, ForwardingTable>> {
  return reading('bridge fdb', () => {
    const found = new Map([...segments].map(segment => [segment, emptyDraft()]))
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
  /** A bridge that knows VLANs has an entry for each. */
  readonly portMacs: Set<MacAddress>
}

function emptyDraft(): Draft {
  return { flood: new Set(), unicast: [], portMacs: new Set() }
}

/** Other entries without a destination are the device's own MACs, which are permanent. */
function enter(fields: Fields, table: Draft): void {
  const state = optionalText(fields, 'state')
  if (optionalText(fields, 'master') !== null) {
    const mac = state === 'static' ? parseMacAddress(optionalText(fields, 'mac') ?? '') : null
    if (mac !== null) table.portMacs.add(mac)
    return
  }
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

function sorted({ flood, unicast, portMacs }: Draft): ForwardingTable {
  return {
    flood: [...flood].sort(compareAddresses),
    unicast: unicast.sort((a, b) => compareText(a.mac, b.mac)),
    portMacs: [...portMacs].sort(compareText),
  }
}
