import { createServer, type RequestListener, type Server } from 'node:http'
import type { ListenOptions } from 'node:net'
import type { Duplex } from 'node:stream'
import { controlCloseSecondsMax, controlRequestBytesMax, controlRequestSecondsMax } from '../model/limits.ts'

export interface HttpBounds {
  /** Whoever comes when there are so many is turned away. */
  readonly connectionsMax: number
  /** A connection on which nothing moves for so long is closed. */
  readonly idleSecondsMax: number
}

/** A server that no asker can make wait, grow or end. */
export function boundedServer(bounds: HttpBounds, answer: RequestListener): Server {
  const server = createServer(
    {
      maxHeaderSize: controlRequestBytesMax,
      headersTimeout: controlRequestSecondsMax * 1000,
      requestTimeout: controlRequestSecondsMax * 1000,
      connectionsCheckingInterval: 1000,
      keepAlive: false,
    },
    answer,
  )
  server.maxConnections = bounds.connectionsMax
  server.timeout = bounds.idleSecondsMax * 1000
  server.on('clientError', (_, socket) => refuseGarbage(socket))
  // A connection that could not be taken, for want of a file descriptor: who asked asks again.
  server.on('error', () => undefined)
  return server
}

/** Rejects with what the system said. */
export function listen(server: Server, where: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(where, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

/** Takes no more questions; answers under way are finished, for at most controlCloseSecondsMax. */
export async function closeServer(server: Server): Promise<void> {
  const closed = new Promise<void>(resolve => server.close(() => resolve()))
  server.closeIdleConnections()
  const timer = setTimeout(() => server.closeAllConnections(), controlCloseSecondsMax * 1000)
  await closed
  clearTimeout(timer)
}

function refuseGarbage(socket: Duplex): void {
  if (socket.writable)
    socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n')
  else socket.destroy()
}
