import { familyOf, type IpAddress } from '../model/address.ts'
import { openDatagrams } from './datagrams.ts'

/** The discard service (RFC 863). Nothing listens there, which the other kernel says by ICMP: a sign of life. */
export const discardPort = 9
const word = new Uint8Array(0)

/** Sends an empty datagram to each address, from a socket that lives no longer than that. Errors are of no account. */
export function speak(vteps: readonly IpAddress[]): void {
  speakFamily(
    'udp4',
    vteps.filter(vtep => familyOf(vtep) === 4),
  )
  speakFamily(
    'udp6',
    vteps.filter(vtep => familyOf(vtep) === 6),
  )
}

function speakFamily(type: 'udp4' | 'udp6', vteps: readonly IpAddress[]): void {
  if (vteps.length === 0) return
  const datagrams = openDatagrams({ type }, () => undefined)
  let open = vteps.length
  const done = () => {
    open -= 1
    if (open === 0) datagrams.end()
  }
  for (const vtep of vteps) datagrams.socket?.send(word, discardPort, vtep, done)
}
