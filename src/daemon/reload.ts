import type { Configuration } from '../model/configuration.ts'

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
