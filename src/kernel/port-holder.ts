import { readdir, readFile, readlink } from 'node:fs/promises'

/** More processes than these are not searched: a name is a comfort, not a need. */
const searchedProcessesMax = 4096

/**
 * Who has this port of this machine; null where nobody listens on it. `by` is `wg-easy (process 123)`, or null where it
 * cannot be seen: root alone sees whose socket it is. A socket of the kernel itself, as WireGuard and VXLAN devices
 * have, belongs to no process.
 */
export async function portHolder(
  protocol: 'tcp' | 'udp',
  port: number,
): Promise<{ readonly by: string | null } | null> {
  const tables = await Promise.all(['', '6'].map(suffix => readText(`/proc/net/${protocol}${suffix}`)))
  const inodes = new Set(tables.flatMap(text => socketsOn(text, protocol, port)))
  if (inodes.size === 0) return null
  const processes = (await readdir('/proc').catch(() => [])).filter(name => /^\d+$/.test(name))
  for (const id of processes.slice(0, searchedProcessesMax))
    if (await holds(id, inodes)) return { by: `${await nameOf(id)} (process ${id})` }
  return { by: process.geteuid?.() === 0 ? 'the kernel, or a program in a container' : null }
}

/** TCP's LISTEN and an unconnected UDP socket (include/net/tcp_states.h). */
const states = { tcp: '0A', udp: '07' } as const

/** Columns of /proc/net/tcp and its like: the second is the local address:port, the tenth the inode (proc_net(5)). */
export function socketsOn(text: string, protocol: 'tcp' | 'udp', port: number): readonly string[] {
  const hex = port.toString(16).toUpperCase().padStart(4, '0')
  return text.split('\n').flatMap(line => {
    const [, local = '', , state, , , , , , inode] = line.trim().split(/\s+/)
    return local.endsWith(`:${hex}`) && state === states[protocol] && inode !== undefined ? [inode] : []
  })
}

async function holds(id: string, inodes: ReadonlySet<string>): Promise<boolean> {
  const directory = `/proc/${id}/fd`
  const descriptors = await readdir(directory).catch(() => [])
  for (const descriptor of descriptors) {
    const inode = /^socket:\[(\d+)\]$/.exec(await readlink(`${directory}/${descriptor}`).catch(() => ''))?.[1]
    if (inode !== undefined && inodes.has(inode)) return true
  }
  return false
}

/** As it names itself: what it is called may hold anything. */
async function nameOf(id: string): Promise<string> {
  const name = (await readText(`/proc/${id}/comm`)).trim().replaceAll(/[^\x20-\x7e]/g, '?')
  return name === '' ? 'a program' : name
}

async function readText(path: string): Promise<string> {
  return await readFile(path, 'latin1').catch(() => '')
}
