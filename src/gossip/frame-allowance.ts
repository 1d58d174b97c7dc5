import type { MessageStream, StreamMuxer } from '@libp2p/interface'
import type { FrameHeader } from '@libp2p/yamux'
import { Allowances } from '../mesh/allowances.ts'
import { connectionAllowance, frameBytesMax, openingAllowance } from '../model/limits.ts'

/** Methods of yamux by which every frame comes in; its types keep them private. What they throw ends the connection. */
export interface FrameReader {
  onData(bytes: { readonly byteLength: number }): void
  handleFrame(frame: { readonly header: FrameHeader }): void
  readonly decoder: {
    readonly buffer: {
      readonly byteLength: number
      subarray(): Uint8Array
      append(bytes: Uint8Array): void
      consume(bytes: number): void
    }
  }
}

/** In how many parts a frame that is not whole yet is kept. */
const partsMax = 256

/** Types and flags of frames (yamux specification, framing). */
const ping: number = 2
const opens: number = 1

/**
 * Bounds what a connection costs beneath its protocols: a frame that is announced longer than any window would be kept
 * until it is whole, each ping and each new stream is answered, and frames without content cost as much as others. Who sends
 * too much is read later; who opens more than any node does, or sends an endless frame, loses the connection.
 */
export function boundFrames(muxer: StreamMuxer & FrameReader, wire: MessageStream): void {
  const frames = new Allowances<'frames'>(connectionAllowance, 1)
  const openings = new Allowances<'openings'>(openingAllowance, 1)
  const takeData = muxer.onData.bind(muxer)
  const takeFrame = muxer.handleFrame.bind(muxer)
  const holdUp = hold(wire)
  let count = 0
  let parts = 0
  muxer.handleFrame = frame => {
    const { type, flag } = frame.header
    count += 1
    const isOpening = type === ping || (flag & opens) === opens
    if (isOpening && openings.spend('openings', 1, 0, performance.now()) > 0)
      throw new Error('more streams and pings than any node has use for')
    takeFrame(frame)
  }
  muxer.onData = bytes => {
    count = 0
    takeData(bytes)
    if (muxer.decoder.buffer.byteLength > frameBytesMax) throw new Error('a frame longer than any window')
    parts = count > 0 ? 0 : parts + 1
    if (parts > 0 && parts % partsMax === 0) whole(muxer.decoder.buffer)
    const wait = frames.spend('frames', 1 + count, bytes.byteLength, performance.now())
    if (wait > 0) holdUp(wait)
  }
}

/** What makes a list of many small parts one part: taking the first away from a long list costs as much as the list is long. */
function whole(buffer: FrameReader['decoder']['buffer']): void {
  const bytes = buffer.subarray()
  buffer.consume(bytes.byteLength)
  buffer.append(bytes)
}

/** Reads nothing for so long; what was sent meanwhile waits at the other side. */
function hold(wire: MessageStream): (milliseconds: number) => void {
  let isHeld = false
  const release = () => {
    isHeld = false
    if (wire.status === 'open') wire.resume()
  }
  return milliseconds => {
    if (isHeld) return
    isHeld = true
    // Not in the middle of a resume: what it does at its end would undo this underneath.
    queueMicrotask(() => {
      if (wire.status === 'open') wire.pause()
    })
    setTimeout(release, milliseconds)
  }
}
