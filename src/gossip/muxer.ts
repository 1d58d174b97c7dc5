import type { Stream, StreamMuxer, StreamMuxerFactory } from '@libp2p/interface'
import { type FrameHeader, type YamuxMuxerInit, yamux } from '@libp2p/yamux'
import { windowUpdateBytesMin } from '../model/limits.ts'
import { boundFrames, type FrameReader } from './frame-allowance.ts'

/** The method of the class by which every frame of every stream is sent; its types keep it private. */
interface FrameSender {
  sendFrame(header: FrameHeader, data?: unknown): boolean
}

/** The type of a frame that gives the other side more window (yamux specification, framing). */
const windowUpdate: number = 1

/**
 * yamux whose abort cannot throw, and that says nothing more about windows than it has to. It says goodbye to the
 * other side in an abort, which throws when the connection is closed already; in its reader nobody catches that, and
 * a neighbour that ended at the wrong moment would end us.
 */
export function calmYamux(init: YamuxMuxerInit): () => StreamMuxerFactory {
  const create = yamux(init)
  return () => {
    const factory = create()
    return {
      ...factory,
      protocol: factory.protocol,
      createStreamMuxer(connection) {
        const muxer: StreamMuxer = factory.createStreamMuxer(connection)
        calmAbort(muxer)
        gatherWindowUpdates(muxer as StreamMuxer & FrameSender)
        boundFrames(muxer as StreamMuxer & FrameReader, connection)
        return muxer
      },
    }
  }
}

function calmAbort(muxer: StreamMuxer): void {
  const abort = muxer.abort.bind(muxer)
  muxer.abort = error => {
    try {
      abort(error)
    } catch {
      // Its streams are aborted before the goodbye; there is nothing left to do.
    }
  }
}

/**
 * js-libp2p answers every frame of data by a window update, which costs as much as a short message; other yamux wait
 * until half the window is used. What is held back is less than that, so that the other side never lacks window.
 */
function gatherWindowUpdates(muxer: StreamMuxer & FrameSender): void {
  const send = muxer.sendFrame.bind(muxer)
  const held = new WeakMap<Stream, number>()
  muxer.sendFrame = (header, data) => {
    const stream = muxer.streams.find(({ id }) => id === `${header.streamID}`)
    if (header.type !== windowUpdate || stream === undefined) return send(header, data)
    const length = header.length + (held.get(stream) ?? 0)
    const isHeld = header.flag === 0 && length < windowUpdateBytesMin
    held.set(stream, isHeld ? length : 0)
    return isHeld || send({ ...header, length })
  }
}
