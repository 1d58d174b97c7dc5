import { readFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import {
  familyOf,
  lengthOf,
  type Prefix,
  parseInterfaceAddress,
  prefixesOverlap,
  prefixOf,
} from '../model/address.ts'

/** A network of this machine, and the device that leads there. */
export interface UsedNetwork {
  readonly network: Prefix
  readonly device: string
}

/** Shorter ones are parts of a default route. */
const networkLengthMin = 8

/** The IPv4 networks this machine has addresses in or routes to; those of `ours` do not count. Empty where it does not tell. */
export function readUsedNetworks(ours: ReadonlySet<string>): readonly UsedNetwork[] {
  try {
    const cidrs = Object.entries(networkInterfaces()).flatMap(([device, addresses]) =>
      (addresses ?? []).flatMap(({ cidr, internal }) =>
        cidr === null || internal ? [] : [{ device, cidr }],
      ),
    )
    return usedNetworks(readFileSync('/proc/net/route', 'latin1'), cidrs).filter(
      ({ device }) => !ours.has(device),
    )
  } catch {
    return []
  }
}

/** From the text of /proc/net/route (proc_net(5)), which has devices that are up without a cable, and addresses. */
export function usedNetworks(
  route: string,
  cidrs: readonly { readonly device: string; readonly cidr: string }[],
): readonly UsedNetwork[] {
  const routed = route.split('\n').flatMap(line => {
    const [device = '', destination = '', , , , , , mask = ''] = line.trim().split(/\s+/)
    const cidr = `${octets(destination).join('.')}/${octets(mask)
      .map(bitsOf)
      .reduce((a, b) => a + b, 0)}`
    return hex.test(destination) && hex.test(mask) ? [{ device, cidr }] : []
  })
  return [...cidrs, ...routed].flatMap(({ device, cidr }): UsedNetwork[] => {
    const parsed = parseInterfaceAddress(cidr)
    if (parsed === null || familyOf(parsed) === 6 || lengthOf(parsed) < networkLengthMin) return []
    return [{ network: prefixOf(parsed), device: device.replace(/:.*$/, '') }]
  })
}

/** The wanted network, else the next one like it that nothing here uses (RFC 1918); null where all are in use. */
export function freeNetwork(wanted: Prefix, used: readonly UsedNetwork[]): Prefix | null {
  const numbers = Array.from({ length: 253 }, (_, index) => ((102 + index) % 254) + 1)
  const others = ['192.168', '10.102', '172.31'].flatMap(start =>
    numbers.map(number => `${start}.${number}.0/24` as Prefix),
  )
  return [wanted, ...others].find(each => overlapOf(each, used) === null) ?? null
}

/** What a network shares addresses with. */
export function overlapOf(prefix: Prefix, used: readonly UsedNetwork[]): UsedNetwork | null {
  return used.find(({ network }) => prefixesOverlap(network, prefix)) ?? null
}

const hex = /^[\da-f]{8}$/i

/** In the machine's own order of bytes, which is the reverse on all that lnet runs on. */
function octets(text: string): readonly number[] {
  return [6, 4, 2, 0].map(at => Number.parseInt(text.slice(at, at + 2), 16))
}

function bitsOf(octet: number): number {
  return [...octet.toString(2)].filter(bit => bit === '1').length
}
