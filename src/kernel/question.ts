import { familyOf, type IpAddress } from '../model/address.ts'
import { gatewayAnswerMillisecondsMax } from '../model/limits.ts'
import { connectDatagrams, openDatagrams } from './datagrams.ts'
import { discardPort } from './speak.ts'

/**
 * The round trip to a VTEP, milliseconds: its kernel answers a datagram to a port where nobody listens with an ICMP
 * error (RFC 1122 section 3.2.2.1), which a connected socket is told of. No program runs for it on either side.
 */
export function question(vtep: IpAddress): Promise<number | null> {
  return ask(familyOf(vtep) === 4 ? 'udp4' : 'udp6', vtep, discardPort)
}

/** The same of a port of an address; null also where no route leads there. */
export function ask(type: 'udp4' | 'udp6', address: string, port: number): Promise<number | null> {
  return new Promise(resolve => {
    const asked = performance.now()
    const failed = (error: Error) => {
      clearTimeout(timer)
      const isAnswer = 'code' in error && error.code === 'ECONNREFUSED'
      resolve(isAnswer ? performance.now() - asked : null)
    }
    const datagrams = openDatagrams({ type }, failed)
    const timer = setTimeout(() => {
      datagrams.end()
      resolve(null)
    }, gatewayAnswerMillisecondsMax)
    connectDatagrams(datagrams, port, address, error => {
      if (error === undefined) return void datagrams.socket?.send(Uint8Array.of(0))
      datagrams.end()
      failed(error)
    })
  })
}
