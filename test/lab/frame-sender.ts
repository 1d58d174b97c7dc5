import { fileURLToPath } from 'node:url'
import type { Namespace } from './namespace.ts'
import { node24 } from './root.ts'

/** VXLAN in clear, as anybody who may open a UDP socket can send it. */
export interface Datagram {
  readonly family: 4 | 6
  readonly to: string
  /** Of the frame inside: by it the frame is known where it gets in. */
  readonly mac: string
  /** The device that multicast leaves by, or the address of it. */
  readonly by?: string
  readonly sourcePort?: number
  readonly port?: number
  /** Of the frame inside; default 60, the least there is. */
  readonly bytes?: number
  /** Another frame instead, in hexadecimal. */
  readonly frame?: string
}

/** Sends each datagram three times from inside a namespace; answers what the kernel refused. `user`: as whom. */
export async function sendFrames(
  from: Namespace,
  datagrams: readonly Datagram[],
  user = 0,
): Promise<readonly string[]> {
  const as = user === 0 ? [] : ['setpriv', `--reuid=${user}`, `--regid=${user}`, '--clear-groups']
  const input = JSON.stringify(datagrams)
  const said = await from.must([...as, node24, script, input])
  return said.split('\n').filter(Boolean)
}

const script = fileURLToPath(new URL('frame-socket.mjs', import.meta.url))
