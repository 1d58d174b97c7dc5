import { filterDepthMax, filterStepsMax } from '../model/limits.ts'
import type { FilterChain, FilterRule, Ruleset } from '../model/ruleset.ts'
import { doubtOf, isMeant, type Probe, passedHooks, truthOfRule } from './walk-conditions.ts'

export interface Obstacle {
  /** The chain that drops, as nft names it: `ip filter FORWARD`. */
  readonly chain: string
  /** The chain all packets begin in. */
  readonly base: string
  /** False: it may drop, by what cannot be told of its rules. */
  readonly isSure: boolean
  /** The first part of a rule that was not understood. */
  readonly doubt: string | null
  readonly family: FilterChain['family']
  /** What wrote the chains, when that is not nft. */
  readonly tool: FilterChain['tool'] | null
}

/**
 * What drops the packet, or may; null when it passes. The chains of all hooks on its path have to let it pass. A rule that was
 * written for this port or device and accepts is taken at its word, whatever else it asks.
 */
export function obstacleTo(ruleset: Ruleset, probe: Probe): Obstacle | null {
  const obstacles = ruleset.chains.flatMap(chain =>
    isPassed(chain, probe) ? (new Walk(ruleset, probe).begin(chain) ?? []) : [],
  )
  return obstacles.find(({ isSure }) => isSure) ?? obstacles[0] ?? null
}

function isPassed({ hook, devices }: FilterChain, { hook: path, from, ours }: Probe): boolean {
  if (hook === null || !passedHooks[path].some(each => each === hook)) return false
  if (devices === undefined) return true
  // Of the underlay, any device may be the one.
  return from === null ? devices.some(device => !ours.includes(device)) : devices.includes(from)
}

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
  private doubt: string | null = null
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
      // Some versions of nft do not tell the device of such a chain.
      return this.obstacle(base, drop, !this.mayAccept && base.hook !== 'ingress')
    if (this.mayDrop === null || (outcome.kind === 'accept' && outcome.isMeant)) return null
    return this.obstacle(base, this.mayDrop, false)
  }

  private obstacle(base: FilterChain, chain: string, isSure: boolean): Obstacle {
    const { family, tool = null } = base
    return {
      chain,
      base: nameOf(base),
      isSure,
      doubt: isSure ? null : (this.doubt ?? (base.hook === 'ingress' ? 'the device of that chain' : null)),
      family,
      tool,
    }
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
      if (truth === null) this.doubt ??= doubtOf(rule, this.probe)
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
      ({ family, table, name, tool }) =>
        family === chain.family && table === chain.table && tool === chain.tool && name === verdict.chain,
    )
    const outcome = target === undefined ? through : this.walk(target, depth + 1)
    return outcome.kind === 'accept' && meant ? { ...outcome, isMeant: true } : outcome
  }
}

function nameOf({ family, table, name }: FilterChain): string {
  return `${family} ${table} ${name}`
}

function isOfFamily({ family }: FilterChain, probe: Probe): boolean {
  return family === 'inet' || family === 'netdev' || (family === 'ip') === (probe.family === 4)
}
