import type { Connection, IdentifyResult, PeerId } from '@libp2p/interface'

/** What it needs of libp2p. */
export interface AcquaintanceComponents {
  readonly events: {
    addEventListener(type: 'connection:open', listener: (event: CustomEvent<Connection>) => void): void
    safeDispatchEvent(type: 'peer:identify', event: { readonly detail: IdentifyResult }): boolean
  }
  readonly peerStore: { merge(peer: PeerId, data: { readonly protocols: string[] }): Promise<unknown> }
  readonly registrar: { getProtocols(): string[] }
}

/**
 * In place of asking each neighbour by `identify` what it speaks: all of a private network speak what this node does,
 * and an answer, with its signed record of addresses that nobody needs, costs as much as the handshake before it.
 */
export function acquaintance(): (components: AcquaintanceComponents) => object {
  return ({ events, peerStore, registrar }) => {
    const introduce = async (connection: Connection): Promise<void> => {
      const peerId = connection.remotePeer
      const protocols = registrar.getProtocols()
      await peerStore.merge(peerId, { protocols })
      // Of one that ended meanwhile nobody would hear the end.
      if (connection.status !== 'open') return
      const detail = { peerId, protocols, listenAddrs: [], connection }
      events.safeDispatchEvent('peer:identify', { detail })
    }
    events.addEventListener('connection:open', ({ detail }) => {
      // Where that fails the connection stays deaf, and is ended for it.
      introduce(detail).catch(() => undefined)
    })
    return {}
  }
}
