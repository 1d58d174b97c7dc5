import {
  compareAddresses,
  compareText,
  type InterfaceAddress,
  type InterfaceName,
  parseInterfaceAddress,
  parseInterfaceName,
  parseMacAddress,
} from '../../model/address.ts'
import type { BridgeFacts, BridgeState, NeighbourEntry } from '../../model/kernel-state.ts'
import { distrusting, type Trusting } from '../../model/link-trust.ts'
import { addressMetric } from '../mark.ts'
import { type Fields, objects, optionalFields, optionalText, texts } from './fields.ts'
import { kindOf } from './links.ts'

/** A bridge of this machine, with the addresses on it that are lnet's. One without ports may have no MAC: all zero. */
export interface BridgeLink extends BridgeFacts, Pick<BridgeState, 'mac' | 'addresses'> {}

/**
 * Every bridge whose name lnet could be told, sorted, from one document of `ip -json -details address show`. Throws what
 * `reading` catches.
 */
export function readBridges(document: unknown, mark: string): readonly BridgeLink[] {
  const links = objects(document, 'links')
  return links
    .filter(fields => kindOf(fields) === 'bridge')
    .flatMap(fields => bridgeLink(fields, links, mark))
    .sort((a, b) => compareText(a.interface, b.interface))
}

/** Bridges that are lnet's, and others as far as something of lnet is on them. */
export function bridgeStates(
  bridges: readonly BridgeLink[],
  neighbours: ReadonlyMap<InterfaceName, readonly NeighbourEntry[]>,
  trustOf: (own: InterfaceName) => Trusting,
): readonly BridgeState[] {
  return bridges.flatMap(({ interface: device, own, up, mac, addresses }): BridgeState[] => {
    const entries = neighbours.get(device) ?? []
    if (!own && addresses.length === 0 && entries.length === 0) return []
    const trust = own ? trustOf(device) : distrusting
    const held = { addresses, neighbours: entries }
    return [{ interface: device, mac: own ? mac : null, up: up || !own, ...trust, ...held }]
  })
}

/** Kinds that stand for a cable, or for a radio; a device without a kind is a network card. */
const physicalKinds: ReadonlySet<string> = new Set(['bond', 'team', 'vlan', 'macvlan', 'macvtap', 'hsr'])

function bridgeLink(fields: Fields, links: readonly Fields[], mark: string): readonly BridgeLink[] {
  const device = parseInterfaceName(optionalText(fields, 'ifname') ?? '')
  if (device === null) return []
  const data = optionalFields(optionalFields(fields.linkinfo).info_data)
  return [
    {
      interface: device,
      own: optionalText(fields, 'ifalias') === mark,
      up: texts(fields.flags).includes('UP'),
      mac: parseMacAddress(optionalText(fields, 'address') ?? ''),
      stp: data.stp_state !== 0 && data.stp_state !== undefined,
      physicalPorts: links
        .filter(link => optionalText(link, 'master') === device && isPhysical(link))
        .flatMap(link => optionalText(link, 'ifname') ?? [])
        .sort(compareText),
      stacked: links
        .filter(link => optionalText(link, 'link') === device)
        .flatMap(link => optionalText(link, 'ifname') ?? [])
        .sort(compareText),
      addresses: objects(Array.isArray(fields.addr_info) ? fields.addr_info : [], device)
        .filter(address => address.metric === addressMetric)
        .flatMap(address => markedAddress(address))
        .sort(compareAddresses),
    },
  ]
}

function isPhysical(link: Fields): boolean {
  const kind = optionalText(optionalFields(link.linkinfo), 'info_kind')
  return kind === null || physicalKinds.has(kind)
}

function markedAddress(fields: Fields): readonly InterfaceAddress[] {
  const address = parseInterfaceAddress(`${optionalText(fields, 'local')}/${fields.prefixlen}`)
  return address === null ? [] : [address]
}
