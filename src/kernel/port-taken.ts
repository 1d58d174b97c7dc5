import type { SocketType } from 'node:dgram'
import { access } from 'node:fs/promises'
import type { InterfaceName, Port } from '../model/address.ts'
import { openDatagrams } from './datagrams.ts'

/**
 * Whether another program holds the tunnel's UDP port, in either family. A tunnel that is there already has the port
 * itself, so that nothing is asked then.
 */
export async function isPortTaken(tunnel: InterfaceName, port: Port): Promise<boolean> {
  if (await hasInterface(tunnel)) return false
  const taken = await Promise.all((['udp4', 'udp6'] as const).map(type => isTaken(type, port)))
  return taken.includes(true)
}

/** By the sysctl tree, which is always that of the network namespace of who looks. */
export async function hasInterface(name: InterfaceName): Promise<boolean> {
  return access(`/proc/sys/net/ipv4/conf/${name}`).then(
    () => true,
    () => false,
  )
}

/** Anything but "in use" (a kernel without IPv6) is for WireGuard to say. */
function isTaken(type: SocketType, port: Port): Promise<boolean> {
  return new Promise(resolve => {
    const datagrams = openDatagrams({ type, ipv6Only: type === 'udp6' }, (error: NodeJS.ErrnoException) =>
      resolve(error.code === 'EADDRINUSE'),
    )
    datagrams.socket?.once('close', () => resolve(false))
    datagrams.socket?.bind({ port, exclusive: true }, datagrams.end)
  })
}
