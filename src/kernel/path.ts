import { networkInterfaces } from 'node:os'
import { familyOf, type IpAddress, parseIpAddress } from '../model/address.ts'
import type { PathAnswer } from '../model/path.ts'
import { connectDatagrams, openDatagrams } from './datagrams.ts'

/** Discard (RFC 863): nothing is sent, but a socket connects to a port. */
const anyPort = 9

/**
 * By which address and device this machine would send to an address: a UDP socket is connected, which asks the routing
 * tables and sends nothing (connect(2)).
 */
export function askPath(address: IpAddress): Promise<PathAnswer> {
  return new Promise(resolve => {
    const failed = (error: NodeJS.ErrnoException) =>
      resolve({ ok: false, error: error.code ?? error.message })
    const datagrams = openDatagrams({ type: familyOf(address) === 4 ? 'udp4' : 'udp6' }, failed)
    connectDatagrams(datagrams, anyPort, address, error => {
      if (error !== undefined && error !== null) failed(error)
      else resolve(answerOf(datagrams.socket?.address().address))
      datagrams.end()
    })
  })
}

function answerOf(text: string | undefined): PathAnswer {
  const source = parseIpAddress((text ?? '').replace(/%.*$/, ''))
  if (source === null) return { ok: false, error: 'EADDRNOTAVAIL' }
  return { ok: true, source, device: deviceOf(source) }
}

function deviceOf(source: IpAddress): string | null {
  const holder = Object.entries(networkInterfaces()).find(([, addresses]) =>
    addresses?.some(({ address }) => parseIpAddress(address) === source),
  )
  return holder?.[0].replace(/:.*$/, '') ?? null
}
