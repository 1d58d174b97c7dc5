import { queryObjects } from 'node:v8'
import type { Connection, MultiaddrConnection, PeerId } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { describe, expect, it } from 'vitest'
import { AlreadyConnected, gateOf } from '../../src/gossip/gate.ts'
import { createNewcomers } from '../../src/gossip/newcomers.ts'
import { watchSuspects } from '../../src/gossip/suspects.ts'
import { privateKeyOf } from '../../src/gossip/swarm.ts'
import { duplicateMillisecondsMax } from '../../src/model/limits.ts'
import type { NodeId } from '../../src/model/node.ts'

const other: PeerId = peerIdFromPrivateKey(privateKeyOf(new Uint8Array(32).fill(1)))
const node = other.toString() as NodeId
const self = '12D3KooWSelf' as NodeId
const later = duplicateMillisecondsMax

describe('the gate', () => {
  it('lets the later of two connections of one node in and ends the first', async () => {
    const { come } = gate()
    const first = new FakeConnection(0)
    const second = new FakeConnection(later)
    expect(await come(first)).toBe('let in')
    expect(await come(second)).toBe('let in')
    expect([first.status, second.status]).toEqual(['aborted', 'open'])
  })

  it('lets one of two in that come at once while a third makes room, as two machines with one key do', async () => {
    const { come } = gate()
    const connections = [0, later, 2 * later, 2 * later + 1].map(at => new FakeConnection(at))
    const [first, ...rest] = connections as [FakeConnection, ...FakeConnection[]]
    expect(await come(first)).toBe('let in')
    const outcomes = await Promise.all(rest.map(come))
    expect(outcomes.filter(outcome => outcome === 'let in')).toHaveLength(1)
    expect(connections.filter(({ status }) => status === 'open')).toHaveLength(1)
  })

  it('has room again once the connection is closed', async () => {
    const { come } = gate()
    const first = new FakeConnection(0)
    expect(await come(first)).toBe('let in')
    first.abort()
    expect(await come(new FakeConnection(1))).toBe('let in')
  })

  it('keeps the connection that stands when a later one ended during its handshake', async () => {
    const { come } = gate()
    const first = new FakeConnection(0)
    const ended = new FakeConnection(later)
    expect(await come(first)).toBe('let in')
    ended.abort()
    expect(await come(ended)).toBe('refused')
    expect(first.status).toBe('open')
  })

  it('keeps nothing of a connection that ended during its handshake', async () => {
    const { come } = gate()
    const reference = await endAndCome(come)
    // A reference is not cleared in the turn it was made in.
    await new Promise(resolve => setImmediate(resolve))
    collect()
    expect(reference.deref()).toBeUndefined()
    expect(await come(new FakeConnection(0))).toBe('let in')
  })
})

describe('a dial that the gate refuses', () => {
  it('tells who lives there where that one has a connection already', async () => {
    const { come, dial, standing } = gate()
    expect([...standing()]).toEqual([])
    expect(await dial(new FakeConnection(0))).toBe('let in')
    await expect(dial(new FakeConnection(1))).rejects.toThrow(new AlreadyConnected(node))
    expect(await come(new FakeConnection(2))).toBe(self < node ? 'refused' : 'let in')
    expect([...standing()]).toEqual([node])
  })

  it('tells of nobody where it ended by itself', async () => {
    const { dial, standing } = gate()
    const ended = new FakeConnection(0)
    ended.abort()
    expect(await dial(ended)).toBe('refused')
    expect([...standing()]).toEqual([])
  })

  it('counts whom it lets in as connected while the connection before is ended', async () => {
    const { come, standing } = gate()
    const first = new FakeConnection(0)
    expect(await come(first)).toBe('let in')
    const replacing = come(new FakeConnection(later))
    expect(first.status).toBe('aborted')
    expect([...standing()]).toEqual([node])
    expect(await replacing).toBe('let in')
    expect([...standing()]).toEqual([node])
  })
})

async function endAndCome(come: (connection: FakeConnection) => Promise<string>) {
  const ended = new FakeConnection(0)
  ended.abort()
  await come(ended)
  return new WeakRef(ended)
}

/** Collects all that nobody holds. */
function collect(): void {
  queryObjects(WeakRef, { format: 'count' })
}

/** Connections that another node dials, and such that it is dialled by; what is refused is closed, as libp2p does. */
function gate() {
  const open: FakeConnection[] = []
  const gater = gateOf({
    self,
    connectionsTo: () => open.filter(({ status }) => status === 'open') as unknown as Connection[],
    suspects: watchSuspects(() => 0),
    newcomers: createNewcomers(() => 0),
  })
  const meet = (direction: 'denyInboundEncryptedConnection' | 'denyOutboundEncryptedConnection') => {
    return async (connection: FakeConnection): Promise<'let in' | 'refused'> => {
      const raw = connection as unknown as MultiaddrConnection
      if ((await gater[direction]?.(other, raw)) === true) {
        connection.abort()
        return 'refused'
      }
      open.push(connection)
      return 'let in'
    }
  }
  return {
    come: meet('denyInboundEncryptedConnection'),
    dial: meet('denyOutboundEncryptedConnection'),
    standing: gater.standing,
  }
}

class FakeConnection extends EventTarget {
  readonly remoteAddr = '/ip4/192.0.2.1/tcp/51821'
  readonly timeline: { readonly open: number }
  status = 'open'

  constructor(openedAt: number) {
    super()
    this.timeline = { open: openedAt }
  }

  abort(): void {
    if (this.status === 'aborted') return
    this.status = 'aborted'
    this.dispatchEvent(new Event('close'))
  }
}
