import type { Prefix } from './address.ts'
import type { Explanation } from './explanation.ts'
import type { PingTime } from './ping.ts'
import type { Ruleset } from './ruleset.ts'

/** What `lnetctl doctor` found on this machine; nothing in it is a judgement yet. */
export interface Examination {
  /** The configuration file, and what is wrong with it. */
  readonly file: string
  readonly configurationProblems: readonly Explanation[]
  /** What keeps lnetd from starting: rights, tools, kernel modules, a taken port. */
  readonly missing: readonly Explanation[]
  readonly ports: readonly PortState[]
  readonly firewall: Firewall
  readonly ways: Ways
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
  readonly docker: boolean
  /** Null when it could not be read: `unreadable` is why. */
  readonly ruleset: Ruleset | null
  readonly unreadable: string | null
  /** Frames in bridges go through the chains of routed packets: br_netfilter. */
  readonly filtersBridges: boolean
}

/** The devices and ports that packets of the mesh take on this machine, as configured. */
export interface Ways {
  readonly tunnel: string
  readonly tunnelFamily: 4 | 6
  readonly vxlanPorts: readonly number[]
  /** Where the addresses of segments are: their devices, or the bridges they are ports of. */
  readonly devices: readonly string[]
  readonly bridges: readonly string[]
  readonly gateway: { readonly interface: string; readonly devices: readonly string[] } | null
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
