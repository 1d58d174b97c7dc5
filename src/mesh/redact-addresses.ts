import { canonicalAddress, publicAddress } from '../model/scope.ts'
import type { Pseudonyms } from './pseudonyms.ts'

/** Groups of an IPv6 address, and an empty one more where it begins or ends with `::`. */
const groupsMax = 9

/**
 * Pseudonyms for public addresses, wherever they stand; those of private, local and group use stay. What only looks
 * like a public address goes as well.
 */
export function redactAddresses(text: string, pseudonyms: Pseudonyms): string {
  return text
    .replaceAll(/[0-9a-f:]+(?:\.\d{1,3}){0,3}/gi, run => redactIpv6(run, pseudonyms))
    .replaceAll(/(?<!\d)\d+(?:\.\d+)+/g, run => redactIpv4(run, pseudonyms))
}

/** From each group on, the longest address there is: a port or a colon of a sentence may be joined to it. */
function redactIpv6(run: string, pseudonyms: Pseudonyms): string {
  if (!/:.*:/.test(run) || /^:+$/.test(run)) return run
  const groups = run.split(':')
  const told: string[] = []
  for (let start = 0; start < groups.length; ) {
    const { address, length, after } = addressAt(groups, start)
    told.push(`${redactAddress(address, pseudonyms)}${after}`)
    start += length
  }
  return told.join(':')
}

interface Piece {
  /** Or a group that is none, or not the beginning of one. */
  readonly address: string
  /** Groups it takes. */
  readonly length: number
  /** The end of a sentence, or a port by tcpdump: joined to it with a dot. */
  readonly after: string
}

function addressAt(groups: readonly string[], start: number): Piece {
  for (let length = Math.min(groupsMax, groups.length - start); length > 2; length -= 1) {
    const joined = groups.slice(start, start + length).join(':')
    const dot = joined.indexOf('.')
    for (const end of dot < 0 ? [joined.length] : [joined.length, dot]) {
      const address = joined.slice(0, end)
      if (canonicalAddress(address) !== null) return { address, length, after: joined.slice(end) }
    }
  }
  return { address: groups[start] ?? '', length: 1, after: '' }
}

/** Four numbers, or more of them that hold a public address somewhere. */
function redactIpv4(run: string, pseudonyms: Pseudonyms): string {
  const numbers = run.split('.').map(Number)
  const quads = numbers.slice(3).map((_, index) => numbers.slice(index, index + 4).join('.'))
  const found = quads.find(quad => publicAddress(quad) !== null)
  return found === undefined ? run : redactAddress(found, pseudonyms)
}

/** Any text; whatever is no public address stays. */
function redactAddress(text: string, pseudonyms: Pseudonyms): string {
  const address = publicAddress(text)
  if (address === null) return text
  return pseudonyms.of(address.includes(':') ? 'public-ipv6' : 'public-ipv4', address)
}
