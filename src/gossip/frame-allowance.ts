import type { MessageStream, StreamMuxer } from '@libp2p/interface'
import type { FrameHeader } from '@libp2p/yamux'
import { Allowances } from '../mesh/allowances.ts'
import { connectionAllowance, frameBytesMax, openingAllowance } from '../model/limits.ts'

/** Methods of yamux by which every frame comes in; its types keep them private. What they throw ends the connection. */
export interface FrameReader {
  onData(bytes: { readonly byteLength: number }): void
  handleFrame(frame: { readonly header: FrameHeader }): void
  readonly decoder: { readonly buffer: { readonly byteLength: number } }
}

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
  let count = 0
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
    const wait = frames.spend('frames', count, bytes.byteLength, performance.now())
    if (wait > 0) holdUp(wire, wait)
  }
}

/** Reads nothing for so long; what was sent meanwhile waits at the other side. */
function holdUp(wire: MessageStream, milliseconds: number): void {
  // Neither does anything where it is done already.
  if (wire.status !== 'open') return
  wire.pause()
  setTimeout(() => {
    if (wire.status === 'open') wire.resume()
  }, milliseconds)
}
