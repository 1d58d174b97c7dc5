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
import { segmentPrefixes, tunnelPrefix } from '../mesh/claims.ts'
import { keyFingerprint } from '../mesh/derive.ts'
import { forwarders } from '../mesh/gateway.ts'
import { hostOf, type InterfaceName, parseIpAddress, prefixContains } from '../model/address.ts'
import { bootstrapHost } from '../model/bootstrap.ts'
import type { Configuration } from '../model/configuration.ts'
import { sentenceOf } from '../model/explanation.ts'
import { software } from '../model/software.ts'
import { createDaemon, type Daemon } from './daemon.ts'
import type { Reloadable } from './reload.ts'

export interface Machine extends Reloadable {
  readonly daemon: Daemon
  readonly kernel: LinuxKernel
}

export interface Pieces {
  readonly configuration: Configuration
  readonly configurationFile: string
  readonly keys: MeshKeys
  readonly keyring: Keyring
  readonly store: Store
  readonly log: Log
}

/** The one place that knows every adapter. */
export function assemble({ configuration, configurationFile, keys, keyring, store, log }: Pieces): Machine {
  const secrets = tunnelSecrets(keyring, keys)
  const machine: { current: Configuration } = { current: configuration }
  const kernel = createLinuxKernel({
    mesh: keys.meshId,
    tunnel: configuration.tunnel,
    start: { gossipPort: configuration.gossip.port, segments: configuration.segments },
    secrets,
    probeKey: keys.probeKey,
    wanted: () => devicesOf(machine.current),
    forwarders: () => forwarders(machine.current),
    bridges: () => machine.current.segments.flatMap(({ bridge }) => (bridge === null ? [] : [bridge.name])),
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
    configurationFile,
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
          isInside: address => isInside(address, machine.current, keys),
          now: () => systemClock.now(),
          wallSeconds: () => systemClock.wallSeconds(),
          random: () => systemClock.random(),
        },
        handlers,
      ),
    archive: store,
    hosts: createHostsFile(join(dirname(configuration.socket), 'hosts')),
    facts: inUse =>
      readFacts({
        inUse,
        ours: new Set(devicesOf(machine.current)),
        isInside: text => isInside(text, machine.current, keys),
      }),
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

function isInside(text: string, { tunnel, segments }: Configuration, { meshId }: MeshKeys): boolean {
  const address = parseIpAddress(text)
  if (address === null) return false
  const inside = [
    tunnelPrefix(tunnel, meshId),
    ...segments.flatMap(segment => segmentPrefixes(segment, meshId)),
  ]
  return inside.some(prefix => prefixContains(prefix, address))
}
