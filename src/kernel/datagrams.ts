import { createSocket, type Socket, type SocketOptions } from 'node:dgram'

/** A UDP socket that ends once. Node throws when one that has ended is used or ended again. */
export interface Datagrams {
  /** To use at once: null when it has ended, even where a callback of it still comes. */
  readonly socket: Socket | null
  end(): void
}

/** Opens one. Its first error ends it, and `failed` is told; later ones are of no account. */
export function openDatagrams(options: SocketOptions, failed: (error: Error) => void): Datagrams {
  const socket = createSocket(options)
  let ended = false
  const end = () => {
    if (ended) return
    ended = true
    socket.close()
  }
  socket.on('error', error => {
    if (ended) return
    end()
    failed(error)
  })
  return {
    get socket() {
      return ended ? null : socket
    },
    end,
  }
}

/**
 * Connects to an address, and then is ready to send. Node hands an error to the callback where there is one, instead of
 * an event: without a route it comes at once.
 */
export function connectDatagrams(
  datagrams: Datagrams,
  port: number,
  address: string,
  connected: (error: Error | undefined) => void,
): void {
  const called = connected as () => void
  datagrams.socket?.connect(port, address, called)
}
