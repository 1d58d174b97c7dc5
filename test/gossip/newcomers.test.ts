import { connect, type Socket } from 'node:net'
import type { MultiaddrConnection } from '@libp2p/interface'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createNewcomers, type Newcomers } from '../../src/gossip/newcomers.ts'
import {
  hostConnectionAllowance,
  inboundFirstBytesMilliseconds,
  inboundPendingMax,
  inboundPendingPerHostMax,
  inboundTurnMilliseconds,
  nodeConnectionAllowance,
} from '../../src/model/limits.ts'
import type { NodeId } from '../../src/model/node.ts'
import { freePort, startNode, stopAll, type TestNode, until } from './mesh.ts'

describe('connections that have not proven to know the secret', () => {
  let now = 0
  let newcomers: Newcomers
  beforeEach(() => {
    vi.useFakeTimers()
    now = 0
    newcomers = createNewcomers(() => now)
  })
  afterEach(() => {
    vi.useRealTimers()
  })
  const come = (address: string, spoke = false) => {
    const connection = new FakeConnection(address)
    const isIn = newcomers.enter(connection as unknown as MultiaddrConnection)
    if (!isIn) connection.abort()
    else if (spoke) newcomers.spoke(connection as unknown as MultiaddrConnection)
    return connection
  }
  const open = (connections: readonly FakeConnection[]) =>
    connections.filter(({ status }) => status === 'open').length

  it('are few of one IPv4 address and of one IPv6 network, and the newest of those that are silent', () => {
    const one = Array.from({ length: 200 }, () => come('/ip4/192.0.2.1/tcp/9'))
    const network = Array.from({ length: 200 }, (_, index) => come(`/ip6/2001:db8::${index + 1}/tcp/9`))
    expect([open(one), open(network)]).toEqual([inboundPendingPerHostMax, inboundPendingPerHostMax])
    expect([one, network].map(each => each.at(-1)?.status)).toEqual(['open', 'open'])
    expect(come('/ip4/192.0.2.2/tcp/9').status).toBe('open')
    expect(come('/ip6/2001:db8:0:1::1/tcp/9').status).toBe('open')
  })

  it('that spoke have a turn before another of their host takes their place', () => {
    const first = Array.from({ length: inboundPendingPerHostMax }, () => come('/ip4/192.0.2.1/tcp/9', true))
    expect(come('/ip4/192.0.2.1/tcp/9').status).toBe('aborted')
    now += inboundTurnMilliseconds
    expect(come('/ip4/192.0.2.1/tcp/9').status).toBe('open')
    expect(first.map(({ status }) => status)[0]).toBe('aborted')
    expect(open(first)).toBe(first.length - 1)
  })

  it('make room for one of another host, however many hosts there are', () => {
    const crowd = Array.from({ length: 1000 }, (_, index) =>
      come(`/ip4/198.51.${index >> 5}.${index & 31}/tcp/9`),
    )
    expect(open(crowd)).toBe(inboundPendingMax)
    const newcomer = come('/ip4/203.0.113.1/tcp/9', true)
    const later = Array.from({ length: inboundPendingMax - 1 }, (_, index) =>
      come(`/ip4/192.0.2.${index}/tcp/9`),
    )
    expect(newcomer.status).toBe('open')
    expect(open([...crowd, newcomer, ...later])).toBe(inboundPendingMax)
  })

  it('end when nothing comes in time, and never once they are proven', async () => {
    const silent = come('/ip4/192.0.2.1/tcp/9')
    const spoke = come('/ip4/192.0.2.1/tcp/9', true)
    const proven = come('/ip4/192.0.2.1/tcp/9')
    newcomers.proven(proven as unknown as MultiaddrConnection, 'somebody' as NodeId)
    await vi.advanceTimersByTimeAsync(inboundFirstBytesMilliseconds + 1)
    expect([silent, spoke, proven].map(({ status }) => status)).toEqual(['aborted', 'open', 'open'])
    for (let index = 0; index < 1000; index += 1) come(`/ip4/192.0.2.${index % 256}/tcp/9`)
    expect(proven.status).toBe('open')
  })

  it('are no more let in of a node, and of a host, that completed too many handshakes, whatever strangers did', () => {
    const prove = (address: string, who: string) => {
      const connection = come(address, true)
      if (connection.status !== 'open') return 'refused'
      return newcomers.proven(connection as unknown as MultiaddrConnection, who as NodeId)
    }
    for (let index = 0; index < 3000; index += 1) come('/ip4/192.0.2.1/tcp/9').abort()
    const first = Array.from({ length: nodeConnectionAllowance.piecesBurst + 1 }, () =>
      prove('/ip4/192.0.2.1/tcp/9', 'one'),
    )
    expect(first.slice(0, -1).every(outcome => outcome === true)).toBe(true)
    expect(first.at(-1)).toBe(false)
    for (let index = first.length; index <= hostConnectionAllowance.piecesBurst; index += 1)
      expect(prove('/ip4/192.0.2.1/tcp/9', `node ${index}`)).toBe(true)
    expect(prove('/ip4/192.0.2.1/tcp/9', 'another')).toBe('refused')
    expect(prove('/ip4/192.0.2.2/tcp/9', 'another')).toBe(true)
    now += 60_000
    expect(prove('/ip4/192.0.2.1/tcp/9', 'one')).toBe(true)
  })
})

describe('strangers that connect over TCP', () => {
  const sockets: Socket[] = []
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy()
    await stopAll()
  })
  const flood = (port: number, bytes: Uint8Array | null, hosts: number) => {
    let ended = 0
    const open = (index: number) => {
      const socket = connect({ port, host: '127.0.0.1', localAddress: `127.0.1.${(index % hosts) + 1}` })
      socket.on('error', () => undefined)
      socket.on('close', () => {
        ended += 1
      })
      if (bytes !== null) socket.write(bytes)
      sockets.push(socket)
    }
    for (let index = 0; index < 200; index += 1) open(index)
    return { ended: () => ended }
  }

  it.each([
    ['200 silent ones of one host', null, 1],
    ['200 silent ones of many hosts', null, 200],
    ['200 of many hosts that begin a handshake', new Uint8Array(24).fill(7), 100],
  ] as const)('%s keep no newcomer out, and no neighbour loses its connection', async (_, bytes, hosts) => {
    const port = await freePort()
    const hub = await startNode({ port })
    const bootstrap = [`/ip4/127.0.0.1/tcp/${port}`]
    const neighbour = await startNode({ port: await freePort(), bootstrap })
    await until(() => neighbours(neighbour) === 1, 'a neighbour')
    const { ended } = flood(port, bytes, hosts)
    const newcomer = await startNode({ port: await freePort(), bootstrap })
    expect(await until(() => neighbours(newcomer) > 0, 'in', 5)).toBeLessThan(2000)
    if (bytes === null) await until(() => ended() === 200, 'every silent one is ended', 5)
    expect(neighbour.changes).toBeLessThanOrEqual(2)
    expect(hub.gossip.neighbours().map(({ node }) => node)).toContain(neighbour.gossip.node)
  })

  it('are reported as what they are: they dialled this node', async () => {
    const port = await freePort()
    const hub = await startNode({ port })
    const { ended } = flood(port, null, 2)
    await until(() => ended() === 200, 'ended', 5)
    const dials = hub.gossip.dials()
    expect(dials.map(({ target }) => target)).toEqual(['from 127.0.1.1', 'from 127.0.1.2'])
    for (const { direction, answers, secretMayDiffer, failures } of dials) {
      expect([direction, answers, secretMayDiffer]).toEqual(['inbound', false, false])
      expect(failures).toBeGreaterThan(0)
    }
  })
})

function neighbours(node: TestNode): number {
  return node.gossip.neighbours().length
}

class FakeConnection extends EventTarget {
  readonly remoteAddr: string
  status = 'open'

  constructor(remoteAddr: string) {
    super()
    this.remoteAddr = remoteAddr
  }

  abort(): void {
    if (this.status === 'aborted') return
    this.status = 'aborted'
    this.dispatchEvent(new Event('close'))
  }
}
