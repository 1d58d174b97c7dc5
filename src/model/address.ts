import ipaddr from 'ipaddr.js'
import { addressBytes, compareBytes, isKnownAddress, networkMask } from './address-bytes.ts'
import type { Brand } from './brand.ts'
import { interfaceNameCharactersMax } from './limits.ts'

/** An IPv4 or IPv6 address in canonical text (RFC 5952). */
export type IpAddress = Brand<string, 'IpAddress'>
/** A network: `address/length`, host bits zero, canonical. */
export type Prefix = Brand<string, 'Prefix'>
/** An address with the length of its network, as `ip address` writes it: host bits kept. */
export type InterfaceAddress = Brand<string, 'InterfaceAddress'>
/** `ip:port` or `[ip]:port`: a place packets can be sent to now. */
export type Endpoint = Brand<string, 'Endpoint'>
/** Like an endpoint, but the host may be a DNS name that is resolved when it is used. */
export type HostPort = Brand<string, 'HostPort'>
/** Lower case, colons: `02:00:5e:00:53:01`. Never a group address. */
export type MacAddress = Brand<string, 'MacAddress'>
export type InterfaceName = Brand<string, 'InterfaceName'>
export type Port = Brand<number, 'Port'>

const macPattern = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/
/** Characters the kernel accepts, less those that confuse shells, nft and sysctl paths. */
const interfacePattern = /^[a-zA-Z][a-zA-Z0-9_-]*$/
const hostnamePattern =
  /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/i
/** Resolvers read a name whose last label is a number as an IPv4 address: `0x7f.1` is 127.0.0.1. */
const numericPattern = /(^|\.)(\d+|0x[\da-f]*)$/i
/** Under these names the kernel keeps settings for all interfaces; no device can bear them. */
const interfaceNamesTaken = ['all', 'default']
export function parseIpAddress(text: string): IpAddress | null {
  if (isKnownAddress(text)) return text as IpAddress
  if (text.length > 45 || text.includes('%')) return null
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return ipaddr.IPv4.parse(text).toString() as IpAddress
  if (!text.includes(':') || !ipaddr.IPv6.isValid(text)) return null
  const address = ipaddr.IPv6.parse(text)
  return address.isIPv4MappedAddress() ? null : (address.toRFC5952String() as IpAddress)
}

/** Sixteen or four bytes to canonical text. */
export function ipAddressFromBytes(bytes: Uint8Array): IpAddress {
  const address = ipaddr.fromByteArray([...bytes])
  return (address instanceof ipaddr.IPv6 ? address.toRFC5952String() : address.toString()) as IpAddress
}

/** A copy: 4 or 16 bytes, network order. */
export function ipAddressBytes(address: IpAddress): Uint8Array {
  return addressBytes(address).slice()
}

export function familyOf(address: IpAddress | Prefix | InterfaceAddress): 4 | 6 {
  return address.includes(':') ? 6 : 4
}

/** Refuses host bits: `10.0.0.1/24` is an interface address, not a prefix. */
export function parsePrefix(text: string): Prefix | null {
  const parsed = parseInterfaceAddress(text)
  return parsed !== null && prefixOf(parsed) === (parsed as string) ? (parsed as string as Prefix) : null
}

export function parseInterfaceAddress(text: string): InterfaceAddress | null {
  const [host, length, ...rest] = text.split('/')
  if (host === undefined || length === undefined || rest.length > 0 || !/^(0|[1-9]\d{0,2})$/.test(length))
    return null
  const address = parseIpAddress(host)
  if (address === null || Number(length) > (familyOf(address) === 4 ? 32 : 128)) return null
  return `${address}/${length}` as InterfaceAddress
}

export function interfaceAddress(address: IpAddress, prefix: Prefix): InterfaceAddress {
  return `${address}/${lengthOf(prefix)}` as InterfaceAddress
}

export function addressOf(address: InterfaceAddress | Prefix): IpAddress {
  return address.slice(0, address.indexOf('/')) as IpAddress
}

export function lengthOf(address: InterfaceAddress | Prefix): number {
  return Number(address.slice(address.indexOf('/') + 1))
}

/** The network an interface address is in. */
export function prefixOf(address: InterfaceAddress): Prefix {
  const length = lengthOf(address)
  const network = addressBytes(addressOf(address)).map((byte, index) => byte & networkMask(length, index))
  return `${ipAddressFromBytes(network)}/${length}` as Prefix
}

/** The prefix of one address alone: /32 or /128. */
export function hostPrefix(address: IpAddress): Prefix {
  return `${address}/${familyOf(address) === 4 ? 32 : 128}` as Prefix
}

export function prefixContains(prefix: Prefix, address: IpAddress): boolean {
  if (familyOf(prefix) !== familyOf(address)) return false
  const network = addressBytes(addressOf(prefix))
  const bytes = addressBytes(address)
  const length = lengthOf(prefix)
  for (let index = 0; index * 8 < length; index += 1) {
    const difference = (bytes[index] as number) ^ (network[index] as number)
    if ((difference & networkMask(length, index)) !== 0) return false
  }
  return true
}

/** In the network, and neither its own nor its broadcast address (IPv4; a /31 or /32 has none, RFC 3021). */
export function isHostOf(prefix: Prefix, address: IpAddress): boolean {
  if (!prefixContains(prefix, address)) return false
  const length = lengthOf(prefix)
  if (familyOf(prefix) === 6 || length > 30) return true
  const host = addressBytes(address).map((byte, index) => byte & ~networkMask(length, index))
  const last = host.every((byte, index) => byte === (~networkMask(length, index) & 0xff))
  return !last && host.some(byte => byte !== 0)
}

export function prefixesOverlap(a: Prefix, b: Prefix): boolean {
  return prefixContains(a, addressOf(b)) || prefixContains(b, addressOf(a))
}

export function parsePort(value: number): Port | null {
  return Number.isInteger(value) && value >= 1 && value <= 65_535 ? (value as Port) : null
}

export function endpoint(address: IpAddress, port: Port): Endpoint {
  return (familyOf(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`) as Endpoint
}

export function parseEndpoint(text: string): Endpoint | null {
  const parsed = parseHostPort(text)
  return parsed !== null && hostAddress(parsed) !== null ? (parsed as string as Endpoint) : null
}

/** `host:port`, `[v6]:port`, or `host` alone when a default port is given. */
export function parseHostPort(text: string, defaultPort?: Port): HostPort | null {
  if (text.length > 262) return null
  const bare = defaultPort === undefined ? null : parseIpAddress(text)
  if (bare !== null && defaultPort !== undefined) return endpoint(bare, defaultPort) as string as HostPort
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text)
  if (match === null) return null
  const port = match[3] === undefined ? defaultPort : parsePort(Number(match[3]))
  if (port === undefined || port === null) return null
  const host = (match[1] ?? match[2]) as string
  const address = parseIpAddress(host)
  if (address !== null) {
    const bracketed = match[1] !== undefined
    return bracketed === (familyOf(address) === 6) ? (endpoint(address, port) as string as HostPort) : null
  }
  if (match[1] !== undefined || !hostnamePattern.test(host) || numericPattern.test(host)) return null
  return `${host.toLowerCase()}:${port}` as HostPort
}

export function hostOf(place: HostPort | Endpoint): string {
  return place.slice(0, place.lastIndexOf(':')).replaceAll(/^\[|\]$/g, '')
}

export function portOf(place: HostPort | Endpoint): Port {
  return Number(place.slice(place.lastIndexOf(':') + 1)) as Port
}

/** The address of a host that is not a DNS name, otherwise null. */
export function hostAddress(place: HostPort | Endpoint): IpAddress | null {
  return parseIpAddress(hostOf(place))
}

/** Refuses group addresses: a multicast source MAC diverts all flooding to one VTEP. */
export function parseMacAddress(text: string): MacAddress | null {
  const mac = text.toLowerCase()
  if (!macPattern.test(mac) || mac === '00:00:00:00:00:00') return null
  return (Number.parseInt(mac.slice(0, 2), 16) & 1) === 0 ? (mac as MacAddress) : null
}

export function parseInterfaceName(text: string): InterfaceName | null {
  if (text.length > interfaceNameCharactersMax || !interfacePattern.test(text)) return null
  return interfaceNamesTaken.includes(text) ? null : (text as InterfaceName)
}

/** Orders addresses and prefixes: IPv4 first, then by number, then by prefix length. */
export function compareAddresses(a: string, b: string): number {
  const [addressA, lengthA] = splitLength(a)
  const [addressB, lengthB] = splitLength(b)
  return compareBytes(addressBytes(addressA), addressBytes(addressB)) || lengthA - lengthB
}

/** Items in the order of their addresses. Each address is looked up once, not once a comparison. */
export function sortedByAddress<Item>(items: readonly Item[], addressOf: (item: Item) => IpAddress): Item[] {
  return items
    .map(item => ({ item, bytes: addressBytes(addressOf(item)) }))
    .sort((a, b) => compareBytes(a.bytes, b.bytes))
    .map(({ item }) => item)
}

/** Plain code unit order: the same on every machine, whatever its locale. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function splitLength(text: string): [IpAddress, number] {
  const [address, length = 0] = text.split('/')
  return [address as IpAddress, Number(length)]
}
