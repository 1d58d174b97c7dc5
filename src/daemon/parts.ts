import type { Gossip, GossipHandlers } from '../gossip/port.ts'
import type { Clock } from '../host/clock.ts'
import type { HostsFile } from '../host/hosts-file.ts'
import type { Log } from '../host/log.ts'
import type { Store } from '../host/store.ts'
import type { Kernel } from '../kernel/port.ts'
import type { ResolvedFor } from '../mesh/rank-endpoints.ts'
import type { IpAddress, Prefix } from '../model/address.ts'
import type { Configuration } from '../model/configuration.ts'
import type { Facts } from '../model/facts.ts'
import type { Result } from '../model/failure.ts'
import type { MeshId, NodeId } from '../model/node.ts'
import type { KeyFingerprint, WireguardPublicKey } from '../model/wireguard-key.ts'

/** Everything the daemon touches, handed in: `lnetd.ts` gives the real ones, the simulator its own. */
export interface DaemonParts {
  readonly configuration: Configuration
  /** Where it was read; a simulated machine has none. */
  readonly configurationFile?: string
  /** As `net:[4026531840]`, for who looks at this machine from another one. */
  readonly networkNamespace?: string | undefined
  readonly mesh: MeshId
  readonly node: NodeId
  readonly publicKey: WireguardPublicKey
  readonly software: string
  presharedKey(publicKey: WireguardPublicKey): KeyFingerprint
  readonly clock: Clock
  readonly log: Omit<Log, 'setLevel'>
  readonly kernel: Kernel
  startGossip(handlers: GossipHandlers): Promise<Result<Gossip>>
  readonly archive: Archive
  readonly hosts: HostsFile
  /** `inUse`: own addresses of gossip connections. Null when this machine does not tell now. */
  facts(inUse: ReadonlySet<IpAddress>): Facts | null
  /** Told of networks of the mesh whose addresses are, from now on, not the mesh's on this machine. */
  networksRefused?(prefixes: ReadonlySet<Prefix>): void
  /** The endpoints of a name, as far as they are known now. */
  readonly resolved: ResolvedFor
}

/** What outlives the daemon. */
export type Archive = Omit<Store, 'close'>
