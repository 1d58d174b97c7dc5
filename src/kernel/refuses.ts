import { connect } from 'node:net'
import type { IpAddress, Port } from '../model/address.ts'

/** A round trip through a tunnel, with one retransmission of the SYN (RFC 6298 section 2: after 1 s). */
const answerMilliseconds = 2500

/**
 * Whether the machine that has an address refuses a TCP connection: nothing listens on that port. One that is taken is
 * ended at once; no answer, and any other error, is no refusal.
 */
export function refuses(address: IpAddress, port: Port): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ host: address, port })
    const end = (refused: boolean) => {
      resolve(refused)
      socket.destroy()
    }
    socket.setTimeout(answerMilliseconds, () => end(false))
    socket.once('connect', () => end(false))
    socket.on('error', (error: NodeJS.ErrnoException) => end(error.code === 'ECONNREFUSED'))
  })
}
