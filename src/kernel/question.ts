import { createSocket } from 'node:dgram'
import { familyOf, type IpAddress } from '../model/address.ts'
import { gatewayAnswerMillisecondsMax } from '../model/limits.ts'
import { discardPort } from './speak.ts'

/**
 * The round trip to a VTEP, milliseconds: its kernel answers a datagram to a port where nobody listens with an ICMP
 * error (RFC 1122 section 3.2.2.1), which a connected socket is told of. No program runs for it on either side.
 */
export function question(vtep: IpAddress): Promise<number | null> {
  return ask(familyOf(vtep) === 4 ? 'udp4' : 'udp6', vtep, discardPort)
}

/** The same of a port of an address. */
export function ask(type: 'udp4' | 'udp6', address: string, port: number): Promise<number | null> {
  const socket = createSocket(type)
  return new Promise(resolve => {
    const asked = performance.now()
    const finish = (milliseconds: number | null) => {
      clearTimeout(timer)
      socket.removeAllListeners().on('error', () => {})
      socket.close()
      resolve(milliseconds)
    }
    const timer = setTimeout(() => finish(null), gatewayAnswerMillisecondsMax)
    socket.on('error', error =>
      finish('code' in error && error.code === 'ECONNREFUSED' ? performance.now() - asked : null),
    )
    socket.connect(port, address, () => socket.send(Uint8Array.of(0)))
  })
}
