import { dirname, join } from 'node:path'
import { createGossip } from '../gossip/gossip.ts'
import { systemClock } from '../host/clock.ts'
import { readFacts } from '../host/facts.ts'
import { createHostsFile } from '../host/hosts-file.ts'
import { type Keyring, tunnelSecrets } from '../host/keyring.ts'
import type { Log } from '../host/log.ts'
import { createResolver, type Resolver } from '../host/resolve.ts'
import type { MeshKeys } from '../host/secret.ts'
import type { Store } from '../host/store.ts'
import { createLinuxKernel, type LinuxKernel } from '../kernel/linux.ts'
import { keyFingerprint } from '../mesh/derive.ts'
import { forwarders } from '../mesh/gateway.ts'
import { meshNetworks } from '../mesh/overlaps.ts'
import { hostOf, type InterfaceName, type Prefix, parseIpAddress, prefixContains } from '../model/address.ts'
import { bootstrapHost } from '../model/bootstrap.ts'
import type { Configuration } from '../model/configuration.ts'
import { sentenceOf } from '../model/explanation.ts'
import { software } from '../model/software.ts'
import { createDaemon, type Daemon } from './daemon.ts'
import { describePlan } from './log-fields.ts'
import type { Reloadable } from './reload.ts'

export interface Machine extends Reloadable {
  readonly daemon: Daemon
  readonly kernel: LinuxKernel
}

export interface Pieces {
  readonly configuration: Configuration
  readonly configurationFile: string
  readonly networkNamespace?: string | undefined
  readonly keys: MeshKeys
  readonly keyring: Keyring
  readonly store: Store
  readonly log: Log
}

/** What the adapters ask for again and again. */
interface Current {
  current: Configuration
  /** Networks of the mesh whose addresses are not the mesh's on this machine. */
  refused: ReadonlySet<Prefix>
}

/** The one place that knows every adapter. */
export function assemble({ configuration, keys, keyring, store, log, ...own }: Pieces): Machine {
  const secrets = tunnelSecrets(keyring, keys)
  const machine: Current = { current: configuration, refused: new Set() }
  const networks = () => meshNetworks(machine.current, keys.meshId).map(({ prefix }) => prefix)
  const isInside = (text: string) => isIn(networks(), machine.refused, text)
  const kernel = createLinuxKernel({
    mesh: keys.meshId,
    tunnel: configuration.tunnel,
    start: { gossipPort: configuration.gossip.port, segments: configuration.segments },
    secrets,
    probeKey: keys.probeKey,
    wanted: () => devicesOf(machine.current),
    networks,
    forwarders: () => forwarders(machine.current),
    bridges: () => machine.current.segments.flatMap(({ bridge }) => (bridge === null ? [] : [bridge.name])),
    restored: steps => log.warn('kernel.drift', { repairs: describePlan(steps) }),
    log: failure =>
      log.warn('kernel.monitor_ended', { reason: sentenceOf(failure), command: failure.command }),
  })
  const resolver: Resolver = createResolver({
    clock: systemClock,
    isOwn: host => configuredHosts(machine.current).has(host),
    changed: () => daemon.look(),
  })
  const daemon: Daemon = createDaemon({
    configuration,
    ...own,
    mesh: keys.meshId,
    node: keyring.node,
    publicKey: keyring.publicKey,
    software,
    presharedKey: publicKey => keyFingerprint(secrets.presharedKey(publicKey)),
    clock: systemClock,
    log,
    kernel,
    startGossip: handlers =>
      createGossip(
        {
          identitySeed: keyring.identitySeed,
          networkKey: keys.networkKey,
          topic: `/lnet/1/${keys.meshId}`,
          port: configuration.gossip.port,
          bootstrap: configuration.bootstrap,
          mdns: configuration.discovery.mdns,
          resolve: (host, author) => resolver.addresses(host, author),
          isInside,
          now: () => systemClock.now(),
          wallSeconds: () => systemClock.wallSeconds(),
          random: () => systemClock.random(),
        },
        handlers,
      ),
    archive: store,
    hosts: createHostsFile(join(dirname(configuration.socket), 'hosts')),
    facts: inUse => readFacts({ inUse, ours: new Set(devicesOf(machine.current)), isInside }),
    networksRefused: prefixes => Object.assign(machine, { refused: prefixes }),
    resolved: (place, author) => resolver.known(place, author),
  })
  return Object.assign(machine, { daemon, kernel })
}

function devicesOf({ tunnel, segments }: Configuration): readonly InterfaceName[] {
  return [tunnel.interface, ...segments.map(segment => segment.interface)]
}

/** Host names that the operator of this machine wrote: where to ask first, and where static members are. */
function configuredHosts({ bootstrap, staticMembers }: Configuration): ReadonlySet<string> {
  const endpoints = staticMembers.flatMap(({ endpoint }) => endpoint ?? [])
  return new Set([...bootstrap.map(bootstrapHost), ...endpoints.map(hostOf)])
}

function isIn(networks: readonly Prefix[], except: ReadonlySet<Prefix>, text: string): boolean {
  const address = parseIpAddress(text)
  return address !== null && networks.some(prefix => !except.has(prefix) && prefixContains(prefix, address))
}
