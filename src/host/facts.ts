import { readFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import type { InterfaceName, IpAddress } from '../model/address.ts'
import type { Facts } from '../model/facts.ts'
import { codeOf } from './files.ts'
import { defaultRouteDevices, findFacts, type InterfaceText } from './underlay.ts'

/**
 * Looks at this machine's interfaces and routes; a millisecond, no process. `ours`: devices of the mesh itself;
 * `isInside`: whether an address, on a bridge say, is in the mesh's own networks. Null when the system does not tell,
 * out of descriptors or memory: that is no sign that anything changed.
 */
export function readFacts(
  ours: ReadonlySet<InterfaceName>,
  isInside: (address: IpAddress) => boolean = () => false,
): Facts | null {
  try {
    return lookAround(ours, isInside)
  } catch {
    return null
  }
}

function lookAround(ours: ReadonlySet<InterfaceName>, isInside: (address: IpAddress) => boolean): Facts {
  const addresses = readAddresses()
  const route = readText('/proc/net/route')
  const ipv6Route = readText('/proc/net/ipv6_route')
  const devices = new Set([
    ...addresses.map(address => address.interface),
    ...defaultRouteDevices(route, ipv6Route),
  ])
  const mtus = new Map([...devices].flatMap(device => readMtu(device)))
  const ifInet6 = readText('/proc/net/if_inet6')
  const facts = findFacts({ addresses, route, ipv6Route, ifInet6, mtus }, ours)
  return { ...facts, addresses: facts.addresses.filter(({ address }) => !isInside(address)) }
}

/** Of interfaces that are up and running; the others are not told about. */
function readAddresses(): readonly InterfaceText[] {
  return Object.entries(networkInterfaces()).flatMap(([device, addresses]) =>
    // A second address has its label as the name of its interface: eth0:1.
    (addresses ?? []).flatMap(({ cidr, internal }) =>
      cidr === null || internal ? [] : [{ interface: device.replace(/:.*$/, ''), cidr }],
    ),
  )
}

/**
 * The lesser of the device's and IPv6's own, which a router may have lowered. The second also keeps to the network
 * namespace where /sys is that of another one.
 */
function readMtu(device: string): readonly [string, number][] {
  const texts = [`/sys/class/net/${device}/mtu`, `/proc/sys/net/ipv6/conf/${device}/mtu`].map(readText)
  const mtus = texts.map(Number).filter(mtu => Number.isSafeInteger(mtu) && mtu > 0)
  return mtus.length === 0 ? [] : [[device, Math.min(...mtus)]]
}

/** What a system without IPv6 or /sys says, and one whose device went away meanwhile. */
const absent = new Set(['ENOENT', 'ENOTDIR', 'ENODEV', 'ENXIO', 'EINVAL', 'EACCES', 'EPERM'])

/** Empty where there is no such file. */
function readText(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch (error) {
    if (absent.has(codeOf(error))) return ''
    throw error
  }
}
