import type { Transport, Upgrader } from '@libp2p/interface'
import { type TCPComponents, type TCPOptions, tcp } from '@libp2p/tcp'

/**
 * TCP that forgets what ended. Its listener keeps a socket until it closes, but listens for that only once the connection
 * is ready: one that had ended by then, a second link between the same nodes say, was kept with all it held for ever.
 */
export function forgetfulTcp(options: TCPOptions): (components: TCPComponents) => Transport {
  const create = tcp(options)
  return components => {
    const transport = create(components)
    const createListener = transport.createListener.bind(transport)
    transport.createListener = given =>
      createListener({ ...given, upgrader: failingWhenEnded(given.upgrader) })
    return transport
  }
}

/** A connection that failed to become ready is forgotten at once. */
function failingWhenEnded(upgrader: Upgrader): Upgrader {
  const upgradeInbound: Upgrader['upgradeInbound'] = async (connection, options) => {
    await upgrader.upgradeInbound(connection, options)
    if (connection.status !== 'open') throw new Error('the connection ended while it was made ready')
  }
  return Object.assign(Object.create(upgrader) as Upgrader, { upgradeInbound })
}
