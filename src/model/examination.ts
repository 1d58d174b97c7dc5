import type { Prefix } from './address.ts'
import type { PingTime } from './ping.ts'

/** What `lnetctl doctor` found on this machine; nothing in it is a judgement yet. */
export interface Examination {
  /** The configuration file, and what is wrong with it. */
  readonly file: string
  readonly configurationProblems: readonly string[]
  /** What keeps lnetd from starting: rights, tools, kernel modules, a taken port; each with its remedy. */
  readonly missing: readonly string[]
  readonly ports: readonly PortState[]
  readonly firewall: Firewall
  readonly clock: ClockState
  /** `net.ipv6.conf.all.disable_ipv6`, or no IPv6 at all. */
  readonly ipv6Disabled: boolean
  /** The tunnel's addresses are IPv6. */
  readonly ipv6Needed: boolean
  /** Networks this machine is in outside, with their devices, and those of the segments. */
  readonly networks: readonly { readonly prefix: Prefix; readonly device: string }[]
  readonly overlays: readonly OverlayNetwork[]
  readonly paths: readonly PathProof[]
}

export interface OverlayNetwork {
  readonly prefix: Prefix
  readonly interface: string
  /** Where its addresses are: the interface, or the bridge it is a port of. */
  readonly device: string
}

export interface PortState {
  readonly protocol: 'udp' | 'tcp'
  readonly port: number
  readonly listening: boolean
}

export interface Firewall {
  readonly ufw: boolean
  readonly firewalld: boolean
  /** Base chains that drop what no rule of theirs accepts. */
  readonly droppingChains: readonly DroppingChain[]
  /** Frames in bridges go through the chains of routed packets: br_netfilter. */
  readonly filtersBridges: boolean
}

export interface DroppingChain {
  /** As `nft` names it: `ip filter FORWARD`. */
  readonly name: string
  readonly hook: 'input' | 'forward'
}

export interface ClockState {
  /** Null where nobody tells. */
  readonly synchronized: boolean | null
}

/** What came back from a member; `full` is the largest packet that must pass, and may not be cut on the way. */
export interface PathProof {
  readonly name: string
  readonly tunnel: { readonly small: PingTime; readonly full: PingTime; readonly bytes: number }
  readonly underlay: { readonly small: PingTime; readonly full: PingTime; readonly bytes: number } | null
  readonly overlay: PingTime
  readonly hasOverlay: boolean
}
