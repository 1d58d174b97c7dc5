import { describeConfigurationProblem, loadConfiguration } from '../host/config.ts'
import type { Log } from '../host/log.ts'
import type { Configuration } from '../model/configuration.ts'
import type { Daemon } from './daemon.ts'

export interface Reloadable {
  readonly daemon: Pick<Daemon, 'reconfigure'>
  /** The configuration in force, for adapters that look it up each time. */
  current: Configuration
}

/** Reads the configuration again. A wrong one changes nothing; what cannot change live is named. */
export async function reload(path: string, machine: Reloadable, log: Log): Promise<void> {
  const loaded = await loadConfiguration(path)
  if (!loaded.ok) {
    for (const problem of loaded.problems)
      log.error('configuration.refused', { file: path, reason: describeConfigurationProblem(path, problem) })
    return
  }
  const { live, kept } = liveChanges(machine.current, loaded.configuration)
  for (const key of kept)
    log.warn('configuration.warning', { reason: `${key} changes at the next restart of lnetd only` })
  machine.current = live
  log.setLevel(live.log.level)
  machine.daemon.reconfigure(live)
  log.info('configuration.reloaded', { file: path })
}

export interface LiveChanges {
  /** What holds from now on. */
  readonly live: Configuration
  /** Keys whose new values wait for a restart, as the operator wrote them. */
  readonly kept: readonly string[]
}

/** What of a new configuration can change under a running daemon: all but its sockets, its devices and its mesh. */
export function liveChanges(current: Configuration, next: Configuration): LiveChanges {
  const live: Configuration = {
    ...next,
    mesh: current.mesh,
    bootstrap: current.bootstrap,
    discovery: current.discovery,
    gossip: { ...next.gossip, port: current.gossip.port },
    tunnel: {
      ...next.tunnel,
      interface: current.tunnel.interface,
      implementation: current.tunnel.implementation,
    },
    stateDir: current.stateDir,
    socket: current.socket,
  }
  const kept = [
    ['mesh', current.mesh, next.mesh],
    ['bootstrap', current.bootstrap, next.bootstrap],
    ['discovery', current.discovery, next.discovery],
    ['gossip.port', current.gossip.port, next.gossip.port],
    ['tunnel.interface', current.tunnel.interface, next.tunnel.interface],
    ['tunnel.implementation', current.tunnel.implementation, next.tunnel.implementation],
    ['state_dir', current.stateDir, next.stateDir],
    ['socket', current.socket, next.socket],
  ] as const
  return {
    live,
    kept: kept.filter(([, a, b]) => JSON.stringify(a) !== JSON.stringify(b)).map(([key]) => key),
  }
}
