import { afterAll, describe, expect, it } from 'vitest'
import { watchMoves } from '../../src/gossip/moves.ts'
import { startNode, stopAll, until } from './mesh.ts'

afterAll(stopAll)

describe('a machine that moved', () => {
  it('ends its connections when an address is gone, and only then', () => {
    let addresses: string[] = []
    let ended = 0
    const connection = { abort: () => (ended += 1) }
    const swarm = { getConnections: () => [connection, connection] } as never
    const look = (...now: string[]) => {
      addresses = now
      hangUpIfMoved()
      return ended
    }
    addresses = ['192.0.2.1']
    const hangUpIfMoved = watchMoves(swarm, () => new Set(addresses))
    expect(look('192.0.2.1')).toBe(0)
    expect(look('192.0.2.1', '2001:db8::1')).toBe(0)
    expect(look('2001:db8::1')).toBe(2)
    expect(look('2001:db8::1')).toBe(2)
    expect(look('2001:db8::2')).toBe(4)
  })

  it('has its neighbours again at once, and is heard', async () => {
    let address = '192.0.2.1'
    const a = await startNode()
    const b = await startNode({ bootstrap: [a.address], addresses: () => new Set([address]) })
    await until(() => a.synced.length > 0 && b.synced.length > 0, 'synced')
    const before = b.changes
    address = '192.0.2.2'
    b.gossip.redial()
    const { number } = await b.say('from elsewhere')
    await until(() => a.known.get(b.gossip.node)?.number === number, 'known to a', 10)
    await until(() => b.gossip.neighbours().length === 1, 'neighbours again', 10)
    expect(b.changes).toBeGreaterThan(before)
  })
})
