import type { InterfaceName, Port, Prefix } from './address.ts'
import type { Explanation } from './explanation.ts'
import type { TunnelImplementation } from './kernel-state.ts'
import type { PingTime } from './ping.ts'
import type { Ruleset } from './ruleset.ts'
import type { Vni } from './segment.ts'

/** What a start of lnetd takes of this machine. */
export interface StartNeeds {
  readonly tunnel: {
    readonly interface: InterfaceName
    readonly port: Port
    /** Null: the kernel's where it has one, else user space. */
    readonly implementation: TunnelImplementation | null
    /** The network of the VTEPs; null: derived, which is IPv6. */
    readonly prefix: Prefix | null
  }
  /** TCP; null where it is not known, or any will do. */
  readonly gossipPort: Port | null
  readonly segments: readonly { readonly interface: InterfaceName; readonly vni: Vni; readonly port: Port }[]
}

/** What `lnetctl doctor` found on this machine; nothing in it is a judgement yet. */
export interface Examination {
  /** The configuration file, and what is wrong with it. */
  readonly file: string
  readonly configurationProblems: readonly Explanation[]
  /** What could not be examined, and why. */
  readonly unexamined: readonly Explanation[]
  /** What of the machine only a start could try, and was not tried. */
  readonly untried: readonly Explanation[]
  /** What keeps lnetd from starting: rights, tools, kernel modules, a taken port. */
  readonly missing: readonly Explanation[]
  /** Why the service refused its last start, as it said itself; null where nobody kept it. */
  readonly refusal: string | null
  /** lnetd may run, and this user may not ask it. */
  /** lnetd runs in another network namespace: what is the network's was not examined. */
  readonly isElsewhere: boolean
  readonly isForbidden: boolean
  /** systemd runs this machine, and knows lnetd.service. */
  readonly hasUnit: boolean
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
  /** Why there are no paths, where this machine cannot try them. */
  readonly pathsUntried: Explanation | null
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
  /** Null when it could not be read: `unreadable` says why. */
  readonly ruleset: Ruleset | null
  readonly unreadable: Explanation | null
  /** What may drop packets too, and was not examined. */
  readonly unseen: readonly Explanation[]
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
