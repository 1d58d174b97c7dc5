import type { Connection, Stream } from '@libp2p/interface'
import { lpStream } from '@libp2p/utils'
import { decodeSyncMessage, encodeSyncMessage, type SyncMessage } from '../mesh/sync.ts'
import { syncMessageBytesMax } from '../model/limits.ts'
import { within } from './within.ts'

/** Sync messages over one stream. Both directions reject when the stream breaks or the time is over. */
export interface Channel {
  send(message: SyncMessage, signal: AbortSignal): Promise<void>
  /** Rejects with MalformedMessage for bytes that are no sync message. */
  receive(signal: AbortSignal): Promise<SyncMessage>
  isOpen(): boolean
  abort(): void
}

export class MalformedMessage extends Error {
  override name = 'MalformedMessage'
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
  const messages = lpStream(stream, {
    maxDataLength: syncMessageBytesMax,
    maxBufferSize: syncMessageBytesMax + 64 * 1024,
  })
  return {
    send: (message, signal) => messages.write(encodeSyncMessage(message), { signal }),
    receive: async signal => {
      const bytes = await messages.read({ signal }).catch(asMalformed)
      const message = decodeSyncMessage(bytes.subarray())
      if (message === null) throw new MalformedMessage('not a sync message')
      return message
    },
    isOpen: () =>
      stream.status === 'open' &&
      stream.writeStatus === 'writable' &&
      stream.remoteWriteStatus === 'writable',
    abort: () => stream.abort(new Error('sync ended')),
  }
}

/** A length that breaks a bound is malformed as well; everything else is the stream's end. */
function asMalformed(error: unknown): never {
  const isLength = error instanceof Error && /^Invalid(Data|Message)Length/.test(error.name)
  throw isLength ? new MalformedMessage(error.message) : error
}
