import { once } from 'node:events'
import type { Stream, StreamMessageEvent } from '@libp2p/interface'

/** Messages over one stream, each after its length (an unsigned varint). */
export interface Messages {
  write(bytes: Uint8Array, signal: AbortSignal): Promise<void>
  /** Rejects with MalformedMessage at the length of a longer one, before any of it is kept. One at a time. */
  read(bytesMax: number, signal: AbortSignal): Promise<Uint8Array>
}

export class MalformedMessage extends Error {
  override name = 'MalformedMessage'
}

/** Four bytes of a varint hold 28 bits. */
const lengthBytesMax = 4

/** What comes unasked is kept up to so many bytes, and breaks the stream beyond. */
export function messagesOver(stream: Stream, unaskedBytesMax: number): Messages {
  const inbox = new Inbox(stream, unaskedBytesMax)
  return {
    async write(bytes, signal) {
      const prefix = encodeLength(bytes.length)
      const framed = new Uint8Array(prefix.length + bytes.length)
      framed.set(prefix)
      framed.set(bytes, prefix.length)
      if (!stream.send(framed)) await drained(stream, signal)
    },
    async read(bytesMax, signal) {
      inbox.allow(lengthBytesMax + bytesMax)
      try {
        return await inbox.message(bytesMax, signal)
      } finally {
        inbox.allow(unaskedBytesMax)
      }
    },
  }
}

const chunksMax = 256

/** What came and was not read yet. */
class Inbox {
  readonly #stream: Stream
  #chunks: Uint8Array[] = []
  #length = 0
  #lengthMax: number
  #arrived: PromiseWithResolvers<void> | null = null
  #failure: Error | null = null

  constructor(stream: Stream, lengthMax: number) {
    this.#stream = stream
    this.#lengthMax = lengthMax
    stream.addEventListener('close', ({ error }) => this.#fail(error ?? new Error('the stream ended')))
    stream.addEventListener('remoteCloseWrite', () => this.#fail(new Error('the stream ended')))
    stream.addEventListener('message', event => this.#take(event))
  }

  allow(lengthMax: number): void {
    this.#lengthMax = lengthMax
  }

  async message(bytesMax: number, signal: AbortSignal): Promise<Uint8Array> {
    for (;;) {
      const prefix = decodeLength(this.#peek(lengthBytesMax))
      if (prefix !== null && prefix.value > bytesMax)
        throw new MalformedMessage(`a message of ${prefix.value} bytes`)
      if (prefix !== null && this.#length >= prefix.bytes + prefix.value) {
        this.#remove(prefix.bytes)
        return this.#remove(prefix.value)
      }
      if (this.#stream.remoteWriteStatus !== 'writable' && this.#stream.readBufferLength === 0)
        this.#fail(new Error('the stream ended'))
      if (this.#failure !== null) throw this.#failure
      await this.#more(signal)
    }
  }

  #take({ data }: StreamMessageEvent): void {
    if (this.#failure !== null) return
    this.#chunks.push(data.subarray())
    // Taking the first away from a long list costs as much as the list is long.
    if (this.#chunks.length >= chunksMax) this.#chunks = [new Uint8Array(Buffer.concat(this.#chunks))]
    this.#length += data.byteLength
    if (this.#length > this.#lengthMax) this.#overflow()
    this.#arrived?.resolve()
  }

  #overflow(): void {
    const error = new MalformedMessage('more than was asked for')
    this.#chunks = []
    this.#length = 0
    this.#fail(error)
    // Whoever sends this is in the middle of telling us.
    queueMicrotask(() => this.#stream.abort(error))
  }

  #fail(error: Error): void {
    this.#failure ??= error
    this.#arrived?.resolve()
  }

  #more(signal: AbortSignal): Promise<void> {
    const arrived = Promise.withResolvers<void>()
    const abort = () => arrived.reject(signal.reason)
    this.#arrived = arrived
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    return arrived.promise.finally(() => signal.removeEventListener('abort', abort))
  }

  #peek(length: number): Uint8Array {
    const bytes: number[] = []
    for (const chunk of this.#chunks) {
      for (const byte of chunk.subarray(0, length - bytes.length)) bytes.push(byte)
      if (bytes.length === length) break
    }
    return Uint8Array.from(bytes)
  }

  #remove(length: number): Uint8Array {
    const removed = new Uint8Array(length)
    let filled = 0
    while (filled < length) {
      const chunk = this.#chunks[0] as Uint8Array
      const part = chunk.subarray(0, length - filled)
      removed.set(part, filled)
      filled += part.length
      if (part.length === chunk.length) this.#chunks.shift()
      else this.#chunks[0] = chunk.subarray(part.length)
    }
    this.#length -= length
    return removed
  }
}

async function drained(stream: Stream, signal: AbortSignal): Promise<void> {
  const ended = new AbortController()
  const end = () => ended.abort(new Error('the stream ended'))
  stream.addEventListener('close', end, { once: true })
  try {
    await once(stream, 'drain', { signal: AbortSignal.any([signal, ended.signal]) })
  } finally {
    stream.removeEventListener('close', end)
  }
}

function encodeLength(length: number): readonly number[] {
  const low = length & 0x7f
  return length < 0x80 ? [low] : [low | 0x80, ...encodeLength(length >>> 7)]
}

/** Null while more bytes are to come. */
function decodeLength(bytes: Uint8Array): { readonly value: number; readonly bytes: number } | null {
  let value = 0
  for (const [index, byte] of bytes.entries()) {
    value += (byte & 0x7f) * 2 ** (7 * index)
    if (byte < 0x80) return { value, bytes: index + 1 }
  }
  if (bytes.length === lengthBytesMax) throw new MalformedMessage('no length')
  return null
}
