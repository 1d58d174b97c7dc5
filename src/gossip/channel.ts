import type { Connection, Stream } from '@libp2p/interface'
import { decodeSyncMessage, encodeSyncMessage, type SyncMessage } from '../mesh/sync.ts'
import { syncMessageBytesMax } from '../model/limits.ts'
import { MalformedMessage, messagesOver } from './messages.ts'
import { within } from './within.ts'

/** Sync messages over one stream. Both directions reject when the stream breaks or the time is over. */
export interface Channel {
  send(message: SyncMessage, signal: AbortSignal): Promise<void>
  /** Rejects with MalformedMessage for bytes that are no sync message, or more than so many. */
  receive(signal: AbortSignal, bytesMax?: number): Promise<SyncMessage>
  /** How many bytes were sent and received since it was asked last. */
  takeBytes(): number
  isOpen(): boolean
  abort(): void
}

/** A channel over a new stream, within so long. */
export async function openChannel(
  connection: Connection,
  protocol: string,
  milliseconds: number,
): Promise<Channel> {
  // libp2p heeds the signal on most of the way only.
  const stream = connection.newStream(protocol, { signal: AbortSignal.timeout(milliseconds) })
  const late = (stream: Stream) => stream.abort(new Error('nobody waits for it'))
  return channelOver(await within(milliseconds, 'the neighbour', stream, late))
}

export function channelOver(stream: Stream): Channel {
  const messages = messagesOver(stream, syncMessageBytesMax)
  let carried = 0
  return {
    send: (message, signal) => {
      const bytes = encodeSyncMessage(message)
      carried += bytes.length
      return messages.write(bytes, signal)
    },
    receive: async (signal, bytesMax = syncMessageBytesMax) => {
      const bytes = await messages.read(bytesMax, signal)
      carried += bytes.length
      const message = decodeSyncMessage(bytes)
      if (message === null) throw new MalformedMessage('not a sync message')
      return message
    },
    takeBytes: () => {
      const bytes = carried
      carried = 0
      return bytes
    },
    isOpen: () =>
      stream.status === 'open' &&
      stream.writeStatus === 'writable' &&
      stream.remoteWriteStatus === 'writable',
    abort: () => stream.abort(new Error('sync ended')),
  }
}
