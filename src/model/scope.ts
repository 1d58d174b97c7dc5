import ipaddr from 'ipaddr.js'
import type { IpAddress } from './address.ts'
import { parsedAddressesCachedMax } from './limits.ts'

/** What an address is good for, in the words of the IANA registries ipaddr.js knows. */
export type AddressScope = 'global' | 'private' | 'link-local' | 'loopback' | 'unusable'

const scopeCache = new Map<IpAddress, AddressScope>()

/** Every look at the mesh ranks the same endpoints again, so answers are kept. */
export function scopeOf(address: IpAddress): AddressScope {
  const known = scopeCache.get(address)
  if (known !== undefined) return known
  const scope = findScope(ipaddr.parse(address))
  if (scopeCache.size >= parsedAddressesCachedMax) scopeCache.clear()
  scopeCache.set(address, scope)
  return scope
}

/** An address of any spelling and kind as one text; null when it is none. */
export function canonicalAddress(text: string): string | null {
  // The library throws and catches for each text that is none, which whole logs are too long for.
  if (mayBeIpv4.test(text))
    return ipaddr.IPv4.isValidFourPartDecimal(text) ? ipaddr.IPv4.parse(text).toString() : null
  return mayBeIpv6.test(text) && ipaddr.IPv6.isValid(text)
    ? ipaddr.IPv6.parse(text).toNormalizedString()
    : null
}

const mayBeIpv4 = /^\d{1,3}(?:\.\d{1,3}){3}$/
/** At most one `::`, or else seven colons, six before an IPv4 address; and no colon alone at an end. */
const mayBeIpv6 = /^(?!:[^:]|.*:::|.*::.*::|.*[^:]:$)(?=.*::|(?:[^:]*:){6})[\da-f:]*(?:\.\d{1,3}){0,3}$/i

/**
 * An address that may tell where in the world a machine is, as one text; null for any other text. Of those that hold
 * another address inside (mapped, 6to4, Teredo, NAT64) it is taken for granted.
 */
export function publicAddress(text: string): string | null {
  const address = canonicalAddress(text)
  return address === null || localRanges.has(ipaddr.parse(address).range()) ? null : address
}

const localRanges = new Set<string>([
  ...['private', 'uniqueLocal', 'carrierGradeNat', 'linkLocal', 'loopback'],
  ...['multicast', 'broadcast', 'unspecified'],
])

/** Not routed in the world, but laboratories use them as if they were public (RFC 5737, 3849, 2544). */
const documentationNetworks = [
  '192.0.2.0/24',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '198.18.0.0/15',
  '2001:db8::/32',
].map(network => ipaddr.parseCIDR(network))

/** Deprecated: an IPv4 address in other clothes, written as IPv6 (RFC 4291 section 2.5.5.1). */
const ipv4CompatibleNetwork = ipaddr.parseCIDR('::/96')
const nat64Network = ipaddr.parseCIDR('64:ff9b::/96')

/** The IPv4 address that the well-known prefix of NAT64 leads to; null for every other address. */
export function translatedAddress(address: IpAddress): IpAddress | null {
  const parsed = ipaddr.parse(address)
  if (!isIn(parsed, nat64Network)) return null
  return ipaddr.fromByteArray(parsed.toByteArray().slice(-4)).toString() as IpAddress
}

function findScope(address: ipaddr.IPv4 | ipaddr.IPv6): AddressScope {
  const range = address.range()
  if (isIn(address, ipv4CompatibleNetwork) && range === 'unicast') return 'unusable'
  if (range === 'unicast') return 'global'
  if (range === 'private' || range === 'uniqueLocal' || range === 'carrierGradeNat') return 'private'
  if (range === 'linkLocal') return 'link-local'
  if (range === 'loopback') return 'loopback'
  // What stands for an IPv4 address is as good as that one; for one that is not global it may not stand (RFC 6052 section 3.1).
  if (isIn(address, nat64Network)) return translatedScope(address)
  return documentationNetworks.some(network => isIn(address, network)) ? 'global' : 'unusable'
}

function translatedScope(address: ipaddr.IPv4 | ipaddr.IPv6): AddressScope {
  return findScope(ipaddr.fromByteArray(address.toByteArray().slice(-4))) === 'global' ? 'global' : 'unusable'
}

function isIn(
  address: ipaddr.IPv4 | ipaddr.IPv6,
  [network, length]: [ipaddr.IPv4 | ipaddr.IPv6, number],
): boolean {
  return address.kind() === network.kind() && address.match(network, length)
}
