/** What of a firewall can be judged: the filters of nft(8), and iptables on top of them. */
export interface Ruleset {
  readonly chains: readonly FilterChain[]
}

export interface FilterChain {
  readonly family: 'ip' | 'ip6' | 'inet'
  readonly table: string
  readonly name: string
  /** Null: only other chains lead to it. */
  readonly hook: 'input' | 'forward' | null
  /** What becomes of a packet that no rule decides about. */
  readonly policy: 'accept' | 'drop'
  /** Those with a verdict. */
  readonly rules: readonly FilterRule[]
}

export interface FilterRule {
  /** All must hold. */
  readonly conditions: readonly Condition[]
  readonly verdict: Verdict
}

export type Verdict =
  | { readonly kind: 'accept' | 'drop' | 'return' }
  | { readonly kind: 'jump' | 'goto'; readonly chain: string }

export interface Condition {
  readonly field: ConditionField
  /** One of them, or with `negated` none: names, numbers, `first-last`, or a beginning with `*` behind it. */
  readonly values: readonly string[]
  readonly negated: boolean
  /** False: there are others, which are not understood. */
  readonly isWhole: boolean
}

/** `conntrack`: of iptables, which does not tell what state. `other`: not understood at all. */
export type ConditionField =
  | 'iifname'
  | 'oifname'
  | 'l4proto'
  | 'nfproto'
  | 'ip'
  | 'ip6'
  | 'icmp'
  | 'udp.dport'
  | 'tcp.dport'
  | 'th.dport'
  | 'ct.state'
  | 'ct.status'
  | 'conntrack'
  | 'other'
