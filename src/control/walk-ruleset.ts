import { filterDepthMax, filterStepsMax } from '../model/limits.ts'
import type { Condition, ConditionField, FilterChain, FilterRule, Ruleset } from '../model/ruleset.ts'

/** The first packet of something new. */
export interface Probe {
  readonly hook: 'input' | 'forward'
  readonly family: 4 | 6
  readonly protocol: 'udp' | 'tcp' | 'icmp'
  /** Null where there is none. */
  readonly port: number | null
  /** Null: some device of the underlay. */
  readonly from: string | null
  /** Where it is forwarded to; null when it is for this machine. */
  readonly to: string | null
  /** Devices that are none of the underlay. */
  readonly ours: readonly string[]
}

export interface Obstacle {
  /** The chain that drops, as nft names it: `ip filter FORWARD`. */
  readonly chain: string
  /** The chain all packets begin in. */
  readonly base: string
  /** False: it may drop, by what cannot be told of its rules. */
  readonly isSure: boolean
}

/**
 * What drops the packet, or may; null when it passes. Chains of one hook all have to let it pass. A rule that was
 * written for this port or device and accepts is taken at its word, whatever else it asks.
 */
export function obstacleTo(ruleset: Ruleset, probe: Probe): Obstacle | null {
  const obstacles = ruleset.chains.flatMap(chain =>
    chain.hook === probe.hook ? (new Walk(ruleset, probe).begin(chain) ?? []) : [],
  )
  return obstacles.find(({ isSure }) => isSure) ?? obstacles[0] ?? null
}

/** Null: cannot be told. */
type Truth = boolean | null
type Outcome =
  | { readonly kind: 'accept'; readonly isMeant: boolean }
  | { readonly kind: 'drop'; readonly chain: string }
  | { readonly kind: 'through' }

const through: Outcome = { kind: 'through' }

class Walk {
  private readonly ruleset: Ruleset
  private readonly probe: Probe
  private mayAccept = false
  private mayDrop: string | null = null
  private steps = 0

  constructor(ruleset: Ruleset, probe: Probe) {
    this.ruleset = ruleset
    this.probe = probe
  }

  begin(base: FilterChain): Obstacle | null {
    if (!isOfFamily(base, this.probe)) return null
    const outcome = this.walk(base, 0)
    const drop = outcome.kind === 'drop' ? outcome.chain : base.policy === 'drop' ? nameOf(base) : null
    if (outcome.kind !== 'accept' && drop !== null)
      return { chain: drop, base: nameOf(base), isSure: !this.mayAccept }
    if (this.mayDrop === null || (outcome.kind === 'accept' && outcome.isMeant)) return null
    return { chain: this.mayDrop, base: nameOf(base), isSure: false }
  }

  private walk(chain: FilterChain, depth: number): Outcome {
    let mayHaveReturned = false
    for (const rule of chain.rules) {
      this.steps += 1
      if (this.steps > filterStepsMax) {
        this.mayAccept = true
        return through
      }
      const truth = truthOfRule(rule, this.probe)
      if (truth === false) continue
      if (rule.verdict.kind === 'return') {
        if (truth) return through
        mayHaveReturned = true
        continue
      }
      const outcome = this.decide(rule, chain, depth)
      if (outcome.kind === 'accept') {
        if ((truth && !mayHaveReturned) || outcome.isMeant) return outcome
        this.mayAccept = true
      }
      if (outcome.kind === 'drop') {
        if (truth && !mayHaveReturned) return outcome
        this.mayDrop ??= outcome.chain
      }
      if (rule.verdict.kind === 'goto' && truth) return through
    }
    return through
  }

  private decide({ conditions, verdict }: FilterRule, chain: FilterChain, depth: number): Outcome {
    if (verdict.kind === 'drop') return { kind: 'drop', chain: nameOf(chain) }
    const meant = conditions.some(condition => isMeant(condition, this.probe))
    if (verdict.kind === 'accept') return { kind: 'accept', isMeant: meant }
    if (!('chain' in verdict) || depth >= filterDepthMax) return through
    const target = this.ruleset.chains.find(
      ({ family, table, name }) => family === chain.family && table === chain.table && name === verdict.chain,
    )
    const outcome = target === undefined ? through : this.walk(target, depth + 1)
    return outcome.kind === 'accept' && meant ? { ...outcome, isMeant: true } : outcome
  }
}

function nameOf({ family, table, name }: FilterChain): string {
  return `${family} ${table} ${name}`
}

function isOfFamily({ family }: FilterChain, probe: Probe): boolean {
  return family === 'inet' || (family === 'ip') === (probe.family === 4)
}

function truthOfRule({ conditions, verdict }: FilterRule, probe: Probe): Truth {
  // What iptables says of connections is most often that they are established, or invalid; NEW stands with a port.
  const aboutPort = conditions.some(({ field }) => field.endsWith('dport'))
  const truths = conditions.map(condition =>
    condition.field === 'conntrack' ? aboutPort && verdict.kind === 'accept' : truthOf(condition, probe),
  )
  return truths.includes(false) ? false : truths.includes(null) ? null : true
}

/** It names this port, or the device the packet comes in by. */
function isMeant(condition: Condition, probe: Probe): boolean {
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
  iifname: ({ from, ours }) => (from === null ? isUnderlay(ours) : value => isDevice(value, from)),
  oifname: ({ to }) => (to === null ? null : value => isDevice(value, to)),
  l4proto:
    ({ protocol }) =>
    value =>
      protocolNames[protocol].includes(value),
  nfproto:
    ({ family }) =>
    value =>
      value === `ipv${family}`,
  ip: ({ family }) => (family === 4 ? () => null : null),
  ip6: ({ family }) => (family === 6 ? () => null : null),
  icmp: ({ protocol }) => (protocol === 'icmp' ? value => value.startsWith('echo-request') : null),
  'udp.dport': probe => portTest(probe, 'udp'),
  'tcp.dport': probe => portTest(probe, 'tcp'),
  'th.dport': probe => portTest(probe, probe.protocol),
  'ct.state': () => value => value === 'new',
  'ct.status': () => () => false,
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
