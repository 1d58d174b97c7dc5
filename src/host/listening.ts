import { readFileSync } from 'node:fs'
import type { PortState } from '../model/examination.ts'

/** TCP's LISTEN and an unconnected UDP socket (include/net/tcp_states.h). */
const states = { tcp: '0A', udp: '07' } as const

/** Whether anybody listens on these ports of this machine, WireGuard's own sockets among them. */
export function examinePorts(ports: readonly Omit<PortState, 'listening'>[]): readonly PortState[] {
  return ports.map(({ protocol, port }) => {
    const texts = [protocol, `${protocol}6`].map(name => readText(`/proc/net/${name}`))
    return { protocol, port, listening: texts.some(text => isListening(text, protocol, port)) }
  })
}

/** Columns of /proc/net/tcp and its like: number, local address:port, remote, state; hexadecimal (proc_net(5)). */
export function isListening(text: string, protocol: PortState['protocol'], port: number): boolean {
  const hex = port.toString(16).toUpperCase().padStart(4, '0')
  return text.split('\n').some(line => {
    const [, local = '', , state] = line.trim().split(/\s+/)
    return local.endsWith(`:${hex}`) && state === states[protocol]
  })
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}
