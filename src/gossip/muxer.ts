import type { StreamMuxerFactory } from '@libp2p/interface'
import { type YamuxMuxerInit, yamux } from '@libp2p/yamux'

/**
 * yamux whose abort cannot throw. It says goodbye to the other side then, which throws when the connection is closed
 * already; in its reader nobody catches that, and a neighbour that ended at the wrong moment would end us.
 */
export function calmYamux(init: YamuxMuxerInit): () => StreamMuxerFactory {
  const create = yamux(init)
  return () => {
    const factory = create()
    return {
      ...factory,
      protocol: factory.protocol,
      createStreamMuxer(connection) {
        const muxer = factory.createStreamMuxer(connection)
        const abort = muxer.abort.bind(muxer)
        muxer.abort = error => {
          try {
            abort(error)
          } catch {
            // Its streams are aborted before the goodbye; there is nothing left to do.
          }
        }
        return muxer
      },
    }
  }
}
