import {
  hostPrefix,
  type InterfaceName,
  type Prefix,
  parseInterfaceAddress,
  parseIpAddress,
  prefixOf,
} from '../../model/address.ts'
import { underlayAddressesMax } from '../../model/limits.ts'
import { segmentOfTable } from '../guard.ts'
import { addressMetric, routeProtocol } from '../mark.ts'
import type { KernelEvent } from '../port.ts'

type IsOwn = (name: string) => boolean

/** What one line of a monitor means to us; null for noise. */
export type Classify = (line: string) => KernelEvent | null

/** What a line is held against. */
export interface Interests {
  isOwn: IsOwn
  /** Devices that are not ours, but hold entries of ours: the bridges segments are in. */
  isHost?: (name: string) => boolean
  /** Devices that forward because this machine is a gateway. */
  isForwarder?: (name: string) => boolean
  /** Whether the mesh has addresses of a network. */
  isMeshNetwork?: (network: Prefix) => boolean
}

/**
 * Lines of `ip -oneline monitor link address route neigh rule netconf`. Routers repeat an address with a new lifetime every few
 * seconds: an underlay address is news only when something else about it changed. A bridge that gets another MAC (from a
 * port that comes or goes) forgets its permanent neighbours.
 */
export function classifyLinks(interests: Interests): Classify {
  const { isOwn, isHost = () => false, isForwarder = () => false, isMeshNetwork = () => false } = interests
  const known = new Map<string, string>()
  const macs = new Map<string, string>()
  return line => {
    const match = /^(Deleted )?\d+: ([^\s:@]+)[@:\s]/.exec(line)
    if (match === null)
      return (
        classifyRule(line) ??
        classifySetting(line, isForwarder) ??
        classifyNeighbour(line, isOwn) ??
        classifyRoute(line, isOwn, isMeshNetwork)
      )
    const [, deleted, device] = match
    // Link-local addresses are the kernel's own doing.
    if (isOwn(device ?? '')) return / inet6 fe80:/.test(line) ? null : 'ours'
    const address = / inet6? (\S+)/.exec(line)?.[1]
    if (isHost(device ?? '') && line.includes(` metric ${addressMetric} `)) return 'ours'
    const mac = / link\/ether (\S+)/.exec(line)?.[1]
    if (mac !== undefined && isHost(device ?? '') && !isRepetition(macs, device ?? '', mac)) return 'ours'
    if (address === undefined) return 'underlay'
    if (isRepetition(known, `${device} ${address}`, deleted === undefined ? withoutLifetime(line) : null))
      return null
    const networks = [address, / peer (\S+)/.exec(line)?.[1] ?? ''].flatMap(networkOf)
    return networks.some(isMeshNetwork) ? 'overlap' : 'underlay'
  }
}

/** Lines of `bridge monitor fdb`: learned entries come and go, static ones are lnet's. */
export function classifyForwarding(isOwn: IsOwn): Classify {
  return line => {
    const device = / dev (\S+)/.exec(line)?.[1]
    return isOwn(device ?? '') && / (static|permanent)\b/.test(line) ? 'ours' : null
  }
}

/** Lines of `nft monitor`: whatever happens to a table that bears lnet's name. */
export function classifyTables(line: string): KernelEvent | null {
  return /^(add|delete|insert|replace) (table|chain|rule) (inet lnet[-_]|(netdev|bridge) lnet_)/.test(line)
    ? 'ours'
    : null
}

/**
 * Segments whose guard a transaction took away or altered, told when `nft monitor` tells of its end. One that makes the
 * table anew is lnet's own.
 */
export function followAlterations(): (line: string) => readonly InterfaceName[] {
  const altered = new Set<InterfaceName>()
  const renewed = new Set<InterfaceName>()
  return line => {
    if (line.startsWith('# new generation')) {
      const found = [...altered]
      altered.clear()
      renewed.clear()
      return found
    }
    const match = /^(add|delete|insert|replace) (table|chain|rule) inet (\S+)/.exec(line)
    const segment = match === null ? null : segmentOfTable(match[3] ?? '')
    if (match === null || segment === null) return []
    const isRenewal = match[1] === 'add' && match[2] === 'table'
    if (isRenewal) {
      altered.delete(segment)
      renewed.add(segment)
    } else if (match[1] === 'delete' && match[2] === 'table') {
      altered.add(segment)
      renewed.delete(segment)
    } else if (!renewed.has(segment)) altered.add(segment)
    return []
  }
}

/** A policy rule of ours: `20101:`, a tab, and what it says. */
function classifyRule(line: string): KernelEvent | null {
  const isRule = /^(Deleted )?\d+:\t/.test(line)
  return isRule && `${line} `.includes(` proto ${routeProtocol} `) ? 'ours' : null
}

/** A kernel parameter of a device: `inet eth0 forwarding off`. Others than this one are not told. */
function classifySetting(line: string, isForwarder: (name: string) => boolean): KernelEvent | null {
  const device = /^inet (\S+) forwarding /.exec(line)?.[1]
  return device !== undefined && isForwarder(device) ? 'ours' : null
}

/** A permanent neighbour of ours was set, or some neighbour of ours went: whether it was a permanent one is not told. */
function classifyNeighbour(line: string, isOwn: IsOwn): KernelEvent | null {
  const match = /^(Deleted )?\S+ dev (\S+) (?:.* )?(PERMANENT|FAILED|STALE)\s*$/.exec(line)
  if (match === null || !isOwn(match[2] ?? '')) return null
  return match[1] !== undefined || match[3] === 'PERMANENT' ? 'ours' : null
}

/** Our own routes; the underlay's default route, by which everything leaves; and routes to the mesh's own networks. */
function classifyRoute(
  line: string,
  isOwn: IsOwn,
  isMeshNetwork: (network: Prefix) => boolean,
): KernelEvent | null {
  if (line.includes(` proto ${routeProtocol} `)) return 'ours'
  const device = / dev (\S+)/.exec(line)?.[1]
  if (isOwn(device ?? '') && line.includes(' proto ra ')) return 'ours'
  if (isOwn(device ?? '') || neighbourStates.test(line)) return null
  const [, network = ''] = /^(?:Deleted )?(\S+) /.exec(line) ?? []
  if (network === 'default') return 'underlay'
  const isMain = !line.includes(' table ')
  return isMain && networkOf(network).some(isMeshNetwork) ? 'overlap' : null
}

/** What a line about a neighbour ends with (ip-neighbour(8)). */
const neighbourStates = /(PERMANENT|NOARP|REACHABLE|STALE|NONE|INCOMPLETE|DELAY|PROBE|FAILED)\s*$/

function networkOf(text: string): readonly Prefix[] {
  const host = parseIpAddress(text)
  const parsed = host === null ? parseInterfaceAddress(text) : null
  return host !== null ? [hostPrefix(host)] : parsed === null ? [] : [prefixOf(parsed)]
}

function isRepetition(known: Map<string, string>, key: string, form: string | null): boolean {
  if (form === null) {
    known.delete(key)
    return false
  }
  if (known.get(key) === form) return true
  if (known.size >= underlayAddressesMax) known.clear()
  known.set(key, form)
  return false
}

function withoutLifetime(line: string): string {
  return line.replace(/\\.*$/, '')
}
