import type { Libp2p } from '@libp2p/interface'

/**
 * Forgets whom we are not connected to. libp2p notes something of everybody it ever met or dialled, for hours, and looks
 * what is too old only where it is asked for it: of nodes that never came back it kept all for ever.
 */
export function createForgetting(swarm: Pick<Libp2p, 'getPeers' | 'peerStore'>): () => Promise<void> {
  let before: ReadonlySet<string> = new Set()
  return async () => {
    const connected = new Set(swarm.getPeers().map(String))
    const noted = await swarm.peerStore.all()
    const strangers = noted.map(({ id }) => id).filter(id => !connected.has(`${id}`))
    // At the second look: when a connection ends, libp2p still reads there who has to be told.
    const gone = strangers.filter(id => before.has(`${id}`))
    await Promise.allSettled(gone.map(id => swarm.peerStore.delete(id)))
    before = new Set(strangers.map(String))
  }
}
