import { identify } from '@libp2p/identify'
import type { IdentifyResult } from '@libp2p/interface'
import { memory } from '@libp2p/memory'
import { noise } from '@libp2p/noise'
import { preSharedKey } from '@libp2p/pnet'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { afterEach, expect, it } from 'vitest'
import { syncProtocol } from '../../src/gossip/sync.ts'
import { meshKey, startNode, stopAll } from './mesh.ts'

afterEach(stopAll)

it('answers a node of an older version, which asks what it speaks', async () => {
  const node = await startNode()
  const psk = `/key/swarm/psk/1.0.0/\n/base16/\n${meshKey.toString('hex')}`
  const older = await createLibp2p({
    transports: [memory()],
    connectionProtector: preSharedKey({ psk: new TextEncoder().encode(psk) }),
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: { identify: identify({ protocolPrefix: 'lnet' }) },
  })
  try {
    const identified = new Promise<IdentifyResult>(resolve => {
      older.addEventListener('peer:identify', ({ detail }) => resolve(detail), { once: true })
    })
    await older.dial(multiaddr(node.address))
    const { peerId, protocols } = await identified
    expect(peerId.toString()).toBe(node.gossip.node)
    expect(protocols).toContain(syncProtocol)
    expect(protocols).toContain('/meshsub/1.2.0')
  } finally {
    await older.stop()
  }
})
