import {
  addressOf,
  compareAddresses,
  type InterfaceAddress,
  type InterfaceName,
  type IpAddress,
  type MacAddress,
  type Port,
  parseInterfaceAddress,
  parseInterfaceName,
  parseIpAddress,
  parseMacAddress,
  parsePort,
} from '../../model/address.ts'
import type { Result } from '../../model/failure.ts'
import { scopeOf } from '../../model/scope.ts'
import { parseVni, type Vni } from '../../model/segment.ts'
import type { LinkName } from '../foreign.ts'
import {
  asFields,
  documents,
  type Fields,
  integer,
  objects,
  optionalFields,
  optionalText,
  parsed,
  reading,
  texts,
  unreadable,
} from './fields.ts'

/** A device with our mark. */
export interface OwnLink {
  readonly interface: InterfaceName
  readonly kind: string
  readonly up: boolean
  readonly mtu: number
  readonly bridge: InterfaceName | null
  /** As a port of a bridge. */
  readonly suppression: boolean
  /** Sorted; without those the kernel makes itself: link-local, and learned or leased ones. */
  readonly addresses: readonly InterfaceAddress[]
  readonly vxlan: Vxlan | null
}

export interface Vxlan {
  readonly vni: Vni
  readonly port: Port
  readonly local: IpAddress
  readonly lower: InterfaceName
  readonly mac: MacAddress
  readonly ageingSeconds: number
  readonly privileged: boolean
}

/** All devices by name, from `ip -json -details link show`. */
export function readLinkNames(output: string): Result<readonly LinkName[]> {
  return reading('ip link', () => linkNames(documents(output, 1)[0]))
}

/** All devices by name, from one document of `ip -json -details`. Throws what `reading` catches. */
export function linkNames(document: unknown): readonly LinkName[] {
  return objects(document, 'links').flatMap(linkName)
}

/** The devices that bear the mark, from one document of `ip -json -details address show`. */
export function ownLinks(document: unknown, mark: string): readonly OwnLink[] {
  return objects(document, 'links')
    .filter(fields => optionalText(fields, 'ifalias') === mark)
    .map(ownLink)
}

function linkName(fields: Fields): readonly LinkName[] {
  const name = optionalText(fields, 'ifname')
  return name === null ? [] : [{ name, alias: optionalText(fields, 'ifalias'), kind: kindOf(fields) }]
}

/** What `ip -details` calls a device; a plain one's link type. */
export function kindOf(fields: Fields): string {
  return (
    optionalText(optionalFields(fields.linkinfo), 'info_kind') ??
    optionalText(fields, 'link_type') ??
    'network'
  )
}

function ownLink(fields: Fields): OwnLink {
  const name = parsed(fields, 'ifname', parseInterfaceName, 'a device with our mark')
  const kind = kindOf(fields)
  const master = optionalText(fields, 'master')
  return {
    interface: name,
    kind,
    up: texts(fields.flags).includes('UP'),
    mtu: integer(fields, 'mtu', name),
    bridge: master === null ? null : nameLike(master),
    suppression: slaveData(fields).neigh_suppress === true,
    addresses: addressesOf(fields),
    vxlan: kind === 'vxlan' ? vxlanOf(fields, name) : null,
  }
}

/** What a device is to its bridge; nothing where it is in none. */
function slaveData(fields: Fields): Fields {
  return optionalFields(optionalFields(fields.linkinfo).info_slave_data)
}

/** A name lnet would not give, a VLAN's say, stands for a device that is not the wanted one. */
function nameLike(name: string): InterfaceName {
  return parseInterfaceName(name) ?? (name.replaceAll(/[^a-zA-Z0-9_-]/g, '_') as InterfaceName)
}

/** Sorted; without those the kernel makes itself: link-local, and learned or leased ones. */
export function addressesOf(link: Fields): readonly InterfaceAddress[] {
  return objects(link.addr_info ?? [], 'addresses')
    .flatMap(ownAddress)
    .sort(compareAddresses)
}

function ownAddress(fields: Fields): readonly InterfaceAddress[] {
  const family = optionalText(fields, 'family')
  if (family !== 'inet' && family !== 'inet6') return []
  const address = parseInterfaceAddress(`${optionalText(fields, 'local')}/${fields.prefixlen}`)
  // Routers on the segment and DHCP give addresses too; they are the operator's, not ours.
  if (address === null || fields.dynamic === true || scopeOf(addressOf(address)) === 'link-local') return []
  return [address]
}

/** Null when it sends from anywhere or over anything: then it is not one that lnet made. */
function vxlanOf(fields: Fields, device: string): Vxlan | null {
  const data = asFields(asFields(fields.linkinfo, device).info_data, device)
  const local = optionalText(data, 'local') ?? optionalText(data, 'local6')
  const lower = optionalText(data, 'link')
  if (local === null || lower === null) return null
  return {
    vni: parseVni(integer(data, 'id', device)) ?? unreadable(`${device} has no valid VNI`),
    port: parsePort(integer(data, 'port', device)) ?? unreadable(`${device} has no valid port`),
    local: parseIpAddress(local) ?? unreadable(`${device} has no valid local address`),
    lower: nameLike(lower),
    mac: parsed(fields, 'address', parseMacAddress, device),
    ageingSeconds: integer(data, 'ageing', device),
    privileged: isPrivileged(optionalFields(data.port_range)),
  }
}

/** Kernels differ in whether the last port counts. */
function isPrivileged({ low, high }: Fields): boolean {
  return Number.isInteger(low) && Number(low) > 0 && Number.isInteger(high) && Number(high) <= 1023
}
