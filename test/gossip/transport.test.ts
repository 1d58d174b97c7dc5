import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Listener, MultiaddrConnection, Upgrader } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { afterEach, expect, it } from 'vitest'
import { forgetfulTcp } from '../../src/gossip/transport.ts'
import { until } from './mesh.ts'

const log = Object.assign(() => undefined, {
  error: () => undefined,
  trace: () => undefined,
  enabled: false,
  newScope: () => log,
})
let listener: Listener

afterEach(() => listener.close())

/** A listener whose connections become ready by `ready`, and one connection to it. */
async function accept(ready: (connection: MultiaddrConnection) => Promise<void>): Promise<Socket> {
  const transport = forgetfulTcp({})({ logger: { forComponent: () => log } } as never)
  const upgrader = { upgradeInbound: ready } as unknown as Upgrader
  listener = transport.createListener({ upgrader })
  await listener.listen(multiaddr('/ip4/127.0.0.1/tcp/0'))
  const port = Number(listener.getAddrs()[0]?.toString().split('/').at(-1))
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => undefined)
  return socket
}

function kept(): number {
  return (listener as Listener & { sockets: ReadonlySet<Socket> }).sockets.size
}

it('keeps a connection until it ends', async () => {
  let isReady = false
  const socket = await accept(async () => {
    isReady = true
  })
  await until(() => isReady, 'ready')
  expect(kept()).toBe(1)
  socket.destroy()
  await until(() => kept() === 0, 'forgotten')
})

it('forgets a connection that ended before it was ready', async () => {
  let ended = false
  await accept(async connection => {
    const closed = once(connection, 'close')
    connection.abort(new Error('one link is enough'))
    await closed
    await new Promise(resolve => setTimeout(resolve, 50))
    ended = true
  })
  await until(() => ended, 'ended')
  await until(() => kept() === 0, 'forgotten')
})
