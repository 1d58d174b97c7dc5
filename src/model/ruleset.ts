/** What of a firewall can be judged: the filters of nft(8), and iptables on top of them. */
export interface Ruleset {
  readonly chains: readonly FilterChain[]
}

/** Where packets meet a chain (nft(8), netfilter hooks). */
export const filterHooks = ['ingress', 'prerouting', 'input', 'forward', 'output', 'postrouting'] as const
export type FilterHook = (typeof filterHooks)[number]

export interface FilterChain {
  readonly family: 'ip' | 'ip6' | 'inet' | 'netdev'
  readonly table: string
  readonly name: string
  /** Null: only other chains lead to it. */
  readonly hook: FilterHook | null
  /** Of an ingress hook alone: whose packets it sees. */
  readonly devices?: readonly string[]
  /** What wrote it, when that is not nft. */
  readonly tool?: 'iptables' | 'iptables-legacy'
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
  /** What is not understood, as it is written. */
  readonly about?: string
}

/** `conntrack`: of iptables, which does not tell what state. `other`: not understood at all. */
export type ConditionField =
  | 'iifname'
  | 'oifname'
  | 'l4proto'
  | 'nfproto'
  /** The source, an address or a prefix. */
  | 'ip.saddr'
  | 'ip6.saddr'
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
