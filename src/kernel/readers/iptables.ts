import { filterRulesMax } from '../../model/limits.ts'
import type {
  Condition,
  ConditionField,
  FilterChain,
  FilterHook,
  FilterRule,
  Verdict,
} from '../../model/ruleset.ts'
import type { Ipsets } from './ipset.ts'

/** nat decides no packet's fate, and security is SELinux's. */
const readTables = ['filter', 'mangle', 'raw']
const hooks: Readonly<Record<string, FilterHook>> = {
  PREROUTING: 'prerouting',
  INPUT: 'input',
  FORWARD: 'forward',
  OUTPUT: 'output',
  POSTROUTING: 'postrouting',
}

/** The output of iptables-save(8) or ip6tables-save. What is not understood of a rule is said in it. */
export function readIptables(
  output: string,
  family: 'ip' | 'ip6',
  tool: NonNullable<FilterChain['tool']>,
  sets: Ipsets = new Map(),
): readonly FilterChain[] {
  const chains = new Map<string, { chain: Omit<FilterChain, 'rules'>; rules: FilterRule[] }>()
  let table = ''
  for (const line of output.split('\n').slice(0, filterRulesMax)) {
    if (line.startsWith('*')) table = line.slice(1).trim()
    if (!readTables.includes(table)) continue
    const [, name, policy] = /^:(\S+) (\S+)/.exec(line) ?? []
    if (name !== undefined) {
      const hook = policy === '-' ? null : (hooks[name] ?? null)
      const chain = {
        family,
        table,
        name,
        hook,
        policy: policy === 'DROP' ? 'drop' : 'accept',
        tool,
      } as const
      chains.set(`${table} ${name}`, { chain, rules: [] })
    }
    const appended = /^-A (\S+) (.*)$/.exec(line)
    if (appended === null) continue
    const isChain = (target: string) => chains.has(`${table} ${target}`)
    const rule = ruleOf(wordsOf(appended[2] as string), isChain, name => addressesOf(name, family, sets))
    if (rule !== null) chains.get(`${table} ${appended[1]}`)?.rules.push(rule)
  }
  return Array.from(chains.values(), ({ chain, rules }) => ({ ...chain, rules }))
}

/** Words as a shell has them; what stands in quotes is one. */
function wordsOf(text: string): readonly string[] {
  return Array.from(text.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g), ([, quoted, plain]) => quoted ?? plain ?? '')
}

interface Option {
  readonly name: string
  readonly values: readonly string[]
  readonly negated: boolean
}

/** `! -s 192.0.2.0/24` and `-m set ! --match-set bad src` alike. */
function optionsOf(words: readonly string[]): readonly Option[] {
  const options: { name: string; values: string[]; negated: boolean }[] = []
  let negated = false
  for (const word of words) {
    if (word === '!') negated = true
    else if (/^--?[a-z]/i.test(word)) {
      options.push({ name: word, values: [], negated })
      negated = false
    } else options.at(-1)?.values.push(word)
  }
  return options
}

/** Null for a rule that only counts, logs or marks. */
function ruleOf(
  words: readonly string[],
  isChain: (name: string) => boolean,
  setOf: SetOf,
): FilterRule | null {
  const options = optionsOf(words)
  const at = options.findIndex(({ name }) => ['-j', '-g', '--jump', '--goto'].includes(name))
  const jump = options[at]
  const target = jump?.values[0]
  if (jump === undefined || target === undefined) return null
  const protocol = options.find(({ name }) => name === '-p')?.values[0] ?? 'th'
  // What stands behind the target is the target's.
  const conditions = options.slice(0, at).flatMap(option => conditionOf(option, protocol, setOf))
  if (isChain(target)) {
    const kind = jump.name === '-g' || jump.name === '--goto' ? 'goto' : 'jump'
    return { conditions, verdict: { kind, chain: target } }
  }
  const verdict = verdicts[target]
  if (verdict !== undefined) return { conditions, verdict }
  return passing.test(target)
    ? null
    : { conditions: [...conditions, unknown(`target ${target}`)], verdict: { kind: 'drop' } }
}

const verdicts: Readonly<Record<string, Verdict>> = {
  ACCEPT: { kind: 'accept' },
  DROP: { kind: 'drop' },
  REJECT: { kind: 'drop' },
  RETURN: { kind: 'return' },
}

/** Targets after which the next rule is asked (iptables-extensions(8)). */
const passing =
  /^(LOG|NFLOG|ULOG|AUDIT|TRACE|MARK|CONNMARK|SECMARK|CONNSECMARK|CT|NOTRACK|SET|TCPMSS|TOS|DSCP|TTL|HL|CLASSIFY|CHECKSUM|LED|RATEEST|TEE|TPROXY|ECN)$/

function conditionOf(
  { name, values, negated }: Option,
  protocol: string,
  setOf: SetOf,
): readonly Condition[] {
  const [first = '', second] = values
  const set = name === '--match-set' && values.length === 2 && second === 'src' ? setOf(first) : null
  if (set !== null) return [{ ...set, negated }]
  const known = (field: ConditionField, found: readonly string[]): readonly Condition[] => [
    { field, values: found, negated, isWhole: true },
  ]
  switch (name) {
    case '-p':
      return first === 'all' ? [] : known('l4proto', [first])
    case '-i':
      return known('iifname', [first.replace(/\+$/, '*')])
    case '-o':
      return known('oifname', [first.replace(/\+$/, '*')])
    case '-s':
      return known(first.includes(':') ? 'ip6.saddr' : 'ip.saddr', [prefixOf(first)])
    case '--dport':
    case '--dports':
      return known(
        portField(protocol),
        first.split(',').map(port => port.replace(':', '-')),
      )
    case '--ctstate':
    case '--state':
      return known('ct.state', first.toLowerCase().split(','))
    case '--icmp-type':
    case '--icmpv6-type':
      return known('icmp', first === '8' || first === '128' ? ['echo-request'] : [first])
    // They only announce what follows.
    case '-m':
    case '--comment':
      return []
    default:
      return [unknown([negated ? '!' : '', name, ...values].join(' ').trim().slice(0, 60))]
  }
}

/** The condition that a source is in a set; null for one whose entries are not known, or no sources alone. */
type SetOf = (name: string) => Omit<Condition, 'negated'> | null

function addressesOf(name: string, family: 'ip' | 'ip6', sets: Ipsets): ReturnType<SetOf> {
  const values = sets.get(name) ?? null
  return values === null ? null : { field: `${family}.saddr`, values, isWhole: true, about: `set ${name}` }
}

/** iptables-save writes IPv4 masks of whole lengths as lengths; others are not understood. */
function prefixOf(text: string): string {
  return text.replace(/\/32$|\/128$/, '')
}

function portField(protocol: string): ConditionField {
  return protocol === 'udp' ? 'udp.dport' : protocol === 'tcp' ? 'tcp.dport' : 'th.dport'
}

function unknown(about: string): Condition {
  return { field: 'other', values: [], negated: false, isWhole: false, about }
}
