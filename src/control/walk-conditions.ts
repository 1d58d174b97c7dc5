import { type IpAddress, parseIpAddress, parsePrefix, prefixContains } from '../model/address.ts'
import type { Condition, ConditionField, FilterHook, FilterRule } from '../model/ruleset.ts'

/** The first packet of something new. */
export interface Probe {
  readonly hook: keyof typeof passedHooks
  readonly family: 4 | 6
  readonly protocol: 'udp' | 'tcp' | 'icmp'
  /** Null where there is none. */
  readonly port: number | null
  /** Null: some device of the underlay. */
  readonly from: string | null
  /** Where it leaves by; null when it is for this machine, or leaves by some device of the underlay. */
  readonly to: string | null
  /** Devices that are none of the underlay. */
  readonly ours: readonly string[]
  /** Who sends it, as far as that is known: members alone need to get in. */
  readonly sources: readonly IpAddress[]
}

/** The hooks that a packet passes on its path through this machine (nft(8)). */
export const passedHooks = {
  input: ['ingress', 'prerouting', 'input'],
  forward: ['ingress', 'prerouting', 'forward', 'postrouting'],
  output: ['output', 'postrouting'],
} as const satisfies Record<string, readonly FilterHook[]>

/** Null: cannot be told. */
export type Truth = boolean | null

export function truthOfRule({ conditions, verdict }: FilterRule, probe: Probe): Truth {
  // What iptables says of connections is most often that they are established, or invalid; NEW stands with a port.
  const aboutPort = conditions.some(({ field }) => field.endsWith('dport'))
  const truths = conditions.map(condition =>
    condition.field === 'conntrack' ? aboutPort && verdict.kind === 'accept' : truthOf(condition, probe),
  )
  return truths.includes(false) ? false : truths.includes(null) ? null : true
}

/** What of a rule cannot be told, for its reader to look it up. */
export function doubtOf({ conditions }: FilterRule, probe: Probe): string | null {
  const open = conditions.find(condition => truthOf(condition, probe) === null)
  if (open === undefined) return null
  return (
    open.about ??
    (open.field === 'other'
      ? 'a match that is not understood'
      : `${open.field} ${open.values.join(', ')}`.trim().slice(0, 60))
  )
}

/** It names this port, or the device the packet comes in by. */
export function isMeant(condition: Condition, probe: Probe): boolean {
  const names = condition.field.endsWith('dport') || (condition.field === 'iifname' && probe.from !== null)
  return names && !condition.negated && truthOf(condition, probe) === true
}

function truthOf({ field, values, negated, isWhole }: Condition, probe: Probe): Truth {
  const about = tests[field]
  if (about === undefined) return null
  const test = about(probe)
  // A rule about the port of another protocol holds for no packet of this one, negated or not.
  if (test === null) return false
  const truths = values.map(test)
  const found = truths.includes(true) ? true : truths.includes(null) || !isWhole ? null : false
  return found === null ? null : found !== negated
}

/** Whether a value is that of the packet; null: the packet has no such thing. */
const tests: { readonly [Field in ConditionField]?: (probe: Probe) => ((value: string) => Truth) | null } = {
  iifname: ({ from, hook, ours }) =>
    hook === 'output' ? null : from === null ? isUnderlay(ours) : value => isDevice(value, from),
  oifname: ({ to, hook, ours }) =>
    to !== null ? value => isDevice(value, to) : hook === 'output' ? isUnderlay(ours) : null,
  l4proto:
    ({ protocol }) =>
    value =>
      protocolNames[protocol].includes(value),
  nfproto:
    ({ family }) =>
    value =>
      value === `ipv${family}`,
  'ip.saddr': probe => (probe.family === 4 ? sourceTest(probe) : null),
  'ip6.saddr': probe => (probe.family === 6 ? sourceTest(probe) : null),
  ip: ({ family }) => (family === 4 ? () => null : null),
  ip6: ({ family }) => (family === 6 ? () => null : null),
  icmp: ({ protocol }) => (protocol === 'icmp' ? value => value.startsWith('echo-request') : null),
  'udp.dport': probe => portTest(probe, 'udp'),
  'tcp.dport': probe => portTest(probe, 'tcp'),
  'th.dport': probe => portTest(probe, probe.protocol),
  'ct.state': () => value => value === 'new',
  'ct.status': () => () => false,
}

/** True for all of the members, false for none of them; a rule about some of them may be about the next packet. */
function sourceTest({ family, sources }: Probe): (value: string) => Truth {
  const known = sources.filter(address => (address.includes(':') ? 6 : 4) === family)
  return value => {
    const network = parsePrefix(value)
    const host = parseIpAddress(value)
    if ((network === null && host === null) || known.length === 0) return null
    const inside = known.filter(
      address => address === host || (network !== null && prefixContains(network, address)),
    )
    return inside.length === 0 ? false : inside.length === known.length ? true : null
  }
}

/** Any device but ours: which one is not known. */
function isUnderlay(ours: readonly string[]): (value: string) => Truth {
  return value => ([...ours, 'lo'].some(device => isDevice(value, device)) ? false : null)
}

function isDevice(value: string, device: string): boolean {
  return value.endsWith('*') ? device.startsWith(value.slice(0, -1)) : value === device
}

/** By name as nft writes them, or by number (IANA). */
const protocolNames = {
  udp: ['udp', '17'],
  tcp: ['tcp', '6'],
  icmp: ['icmp', 'ipv6-icmp', 'icmpv6', '1', '58'],
} as const satisfies Record<Probe['protocol'], readonly string[]> as Record<
  Probe['protocol'],
  readonly string[]
>

function portTest({ protocol, port }: Probe, of: Probe['protocol']): ((value: string) => Truth) | null {
  if (protocol !== of || port === null) return null
  return value => {
    const [first = Number.NaN, last = first] = value.split('-').map(Number)
    return first <= port && port <= last
  }
}
