import {
  addressOf,
  familyOf,
  type InterfaceAddress,
  type IpAddress,
  interfaceAddress,
  ipAddressBytes,
  lengthOf,
  type Prefix,
  prefixContains,
  prefixesOverlap,
  prefixOf,
} from '../../model/address.ts'
import type { SegmentConfiguration } from '../../model/configuration.ts'
import { scopeOf } from '../../model/scope.ts'
import { checkAnnounceable } from './announceable.ts'
import { checkGateway } from './gateway.ts'
import type { Report } from './report.ts'
import type { Draft } from './sections.ts'
import { checkStaticMembers } from './static-checks.ts'

/** Holds one part of the file against another. What is wrong in itself already is not blamed twice. */
export function crossCheck(draft: Draft, report: Report): void {
  checkSecret(draft, report)
  checkTunnelAddress(draft, report)
  checkEqual(interfaceUses(draft), report, 'interface')
  checkBridges(draft, report)
  checkEqual(vniUses(draft), report, 'VNI')
  checkPorts(draft, report)
  checkOverlaps(draft, report)
  for (const [index, segment] of draft.segments.entries())
    checkSegmentAddresses(segment, `segments[${index}]`, report)
  checkAnnounceable(draft, report)
  checkStaticMembers(draft, report)
  checkGateway(draft, report)
}

/** A value somewhere in the file. */
interface Use<Value> {
  readonly key: string
  readonly value: Value
}

function checkSecret({ mesh }: Draft, report: Report): void {
  if (report.isBroken('mesh.secret', 'mesh.secret_file')) return
  if (mesh.inlineSecret !== null && mesh.secretFile !== null)
    report.add('mesh.secret', 'is given beside mesh.secret_file', { remedy: 'keep one of the two' })
  if (mesh.inlineSecret === null && mesh.secretFile === null)
    report.add('mesh.secret_file', 'is missing', {
      remedy: 'run `lnetctl init`, or `lnetctl join` to join a mesh',
    })
}

function checkTunnelAddress({ tunnel }: Draft, report: Report): void {
  const key = 'tunnel.address'
  const { address, prefix } = tunnel
  if (address === null || report.isBroken(key, 'tunnel.prefix')) return
  if (prefix === null)
    report.add(key, 'needs tunnel.prefix', {
      why: 'the automatic prefix gives its own addresses',
      remedy: 'set tunnel.prefix, or leave it out',
    })
  else if (!prefixContains(prefix, address))
    report.add(key, `must be in tunnel.prefix ${prefix}, got ${address}`)
  else checkHost(interfaceAddress(address, prefix), key, report)
}

function interfaceUses({ tunnel, segments }: Draft): readonly Use<string>[] {
  return [
    { key: 'tunnel.interface', value: tunnel.interface },
    ...segments.map((segment, index) => ({ key: `segments[${index}].interface`, value: segment.interface })),
  ]
}

function checkBridges(draft: Draft, report: Report): void {
  const uses: Use<string>[] = []
  for (const [index, { bridge }] of draft.segments.entries()) {
    if (bridge === null) continue
    const { name } = bridge
    const key = `segments[${index}].bridge`
    const own = interfaceUses(draft).find(({ value }) => value === name)
    if (own !== undefined && !report.isBroken(key, own.key))
      report.add(key, `${name} is ${own.key}`, {
        why: 'a bridge is another device',
        remedy: 'give it another name',
      })
    uses.push({ key, value: name })
  }
  // Two segments in one bridge would be one layer-2 network, of which no node knows.
  checkEqual(uses, report, 'bridge')
}

function vniUses({ segments }: Draft): readonly Use<number>[] {
  return segments.map((segment, index) => ({ key: `segments[${index}].vni`, value: segment.vni }))
}

function checkEqual(uses: readonly Use<string | number>[], report: Report, noun: string): void {
  for (const [index, use] of uses.entries()) {
    const earlier = uses.slice(0, index).find(({ value }) => value === use.value)
    if (earlier === undefined || report.isBroken(use.key, earlier.key)) continue
    report.add(use.key, `${noun} ${use.value} is that of ${earlier.key}`, { remedy: 'give it another one' })
  }
}

/** Both are UDP ports; the gossip port is TCP. Segments share theirs: the VNI tells their frames apart. */
function checkPorts({ tunnel, segments }: Draft, report: Report): void {
  for (const [index, segment] of segments.entries()) {
    const key = `segments[${index}].port`
    if (segment.port === tunnel.port && !report.isBroken(key, 'tunnel.port'))
      report.add(key, `UDP port ${segment.port} is that of tunnel.port`, { remedy: 'give it another one' })
  }
}

function checkOverlaps(draft: Draft, report: Report): void {
  const networks = networkUses(draft)
  for (const [index, use] of networks.entries()) {
    const earlier = networks.slice(0, index).find(({ value }) => prefixesOverlap(value, use.value))
    if (earlier === undefined || report.isBroken(use.key, earlier.key)) continue
    const same = earlier.value === use.value ? 'is that' : `overlaps ${earlier.value}`
    report.add(use.key, `network ${use.value} ${same} of ${earlier.key}`, { remedy: 'give it another one' })
  }
}

function networkUses({ tunnel, segments }: Draft): readonly Use<Prefix>[] {
  const own = tunnel.prefix === null ? [] : [{ key: 'tunnel.prefix', value: tunnel.prefix }]
  return [
    ...own,
    ...segments.flatMap(({ prefixes, addresses }, index) => [
      ...prefixes.map(value => ({ key: `segments[${index}].prefixes`, value })),
      ...[...new Set(addresses?.map(prefixOf))]
        .filter(value => !prefixes.includes(value))
        .map(value => ({ key: `segments[${index}].addresses`, value })),
    ]),
  ]
}

function checkSegmentAddresses(segment: SegmentConfiguration, key: string, report: Report): void {
  const at = `${key}.addresses`
  if (report.isBroken(at, `${key}.prefixes`)) return
  for (const address of segment.addresses ?? []) {
    const family = segment.prefixes.filter(prefix => familyOf(prefix) === familyOf(address))
    const home = family.find(prefix => prefixContains(prefix, addressOf(address)))
    if (home === undefined && family.length > 0)
      report.add(at, `${address} must be in one of the segment's prefixes, ${family.join(', ')}`)
    else if (home !== undefined && prefixOf(address) !== home)
      report.add(at, `${address} must have the length of its prefix ${home}`)
    else checkHost(address, at, report)
  }
  const hosts = (segment.addresses ?? []).map(addressOf)
  for (const host of hosts.filter((each, index) => hosts.indexOf(each) !== index))
    report.add(at, `${host} is there twice`)
}

/** A machine cannot have a network's own address, its broadcast address, a group's or a loopback one. */
function checkHost(address: InterfaceAddress, key: string, report: Report): void {
  const host = addressOf(address)
  if (['unusable', 'loopback', 'link-local'].includes(scopeOf(host))) {
    report.add(key, `${host} is no address a machine can have here`)
    return
  }
  if (familyOf(host) === 6 || lengthOf(address) > 30) return
  if (isLast(host, lengthOf(address)))
    report.add(key, `${host} is the broadcast address of ${prefixOf(address)}`)
  if (host === addressOf(prefixOf(address)))
    report.add(key, `${host} is the network ${prefixOf(address)} itself`)
}

function isLast(address: IpAddress, length: number): boolean {
  const number = new DataView(ipAddressBytes(address).buffer).getUint32(0)
  return number % 2 ** (32 - length) === 2 ** (32 - length) - 1
}
