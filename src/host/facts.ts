import { readdirSync, readFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { addressOf, type InterfaceName, type IpAddress, parseInterfaceAddress } from '../model/address.ts'
import type { DeviceKind, Facts } from '../model/facts.ts'
import { type DeviceTexts, deviceKindOf } from './device-kind.ts'
import { codeOf } from './files.ts'
import { defaultRouteDevices, findFacts, type InterfaceText } from './underlay.ts'

export interface FactsOptions {
  /** Devices of the mesh itself. */
  readonly ours: ReadonlySet<InterfaceName>
  /** Whether an address, on a bridge say, is in the mesh's own networks. */
  readonly isInside?: (address: IpAddress) => boolean
  /** Addresses of this machine that its gossip connections use. */
  readonly inUse?: ReadonlySet<IpAddress>
}

/**
 * Reads this machine's interfaces and routes; a millisecond, no process. Null when the system does not tell, out of
 * descriptors or memory: that is no sign that anything changed.
 */
export function readFacts(options: FactsOptions): Facts | null {
  try {
    return lookAround(options)
  } catch {
    return null
  }
}

function lookAround({ ours, isInside = () => false, inUse = new Set() }: FactsOptions): Facts {
  const addresses = readAddresses().filter(({ cidr }) => {
    const parsed = parseInterfaceAddress(cidr)
    return parsed !== null && !isInside(addressOf(parsed))
  })
  const route = readText('/proc/net/route')
  const ipv6Route = readText('/proc/net/ipv6_route')
  const devices = new Set([
    ...addresses.map(address => address.interface),
    ...defaultRouteDevices(route, ipv6Route),
  ])
  const mtus = new Map([...devices].flatMap(device => readMtu(device)))
  const ifInet6 = readText('/proc/net/if_inet6')
  const kinds = new Map<string, DeviceKind>(
    addresses.map(address => [address.interface, deviceKindOf(address.interface, readDevice)]),
  )
  return findFacts({ addresses, route, ipv6Route, ifInet6, mtus, kinds, inUse }, ours)
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

/** Also null where /sys is that of another network namespace. */
function readDevice(device: string): DeviceTexts | null {
  const directory = `/sys/class/net/${device}`
  const entries = readNames(directory)
  if (entries.length === 0) return null
  const ports = entries.includes('brif') ? readNames(`${directory}/brif`) : []
  const [uevent = '', type = ''] = ['uevent', 'type'].map(file => readText(`${directory}/${file}`))
  return { entries, ports, uevent, type }
}

/** Empty where there is no such directory. */
function readNames(path: string): readonly string[] {
  try {
    return readdirSync(path)
  } catch (error) {
    if (absent.has(codeOf(error))) return []
    throw error
  }
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
