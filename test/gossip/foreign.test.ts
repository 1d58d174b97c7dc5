import { randomBytes } from 'node:crypto'
import { mkdtempSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { peerIdFromPrivateKey, peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { afterEach, expect, it } from 'vitest'
import { gateOf } from '../../src/gossip/gate.ts'
import { admission } from '../../src/gossip/interfaces.ts'
import { createNewcomers } from '../../src/gossip/newcomers.ts'
import type { DialCandidate } from '../../src/gossip/port.ts'
import { watchSuspects } from '../../src/gossip/suspects.ts'
import { privateKeyOf, startSwarm, tcpParts } from '../../src/gossip/swarm.ts'
import type { NodeId } from '../../src/model/node.ts'
import { freePort, gossipOptions, listenOn, startNode, stopAll, until } from './mesh.ts'

const servers: Server[] = []
afterEach(async () => {
  await stopAll()
  for (const server of servers.splice(0)) server.close()
})

it('dials nothing on this machine, whatever an announcement says, over TCP', async () => {
  let connections = 0
  const listen = async (host: string) => {
    const server = createServer(socket => {
      connections += 1
      socket.destroy()
    })
    servers.push(server)
    return { server, port: await listenOn(server, host) }
  }
  const { port } = await listen('::')
  const path = join(mkdtempSync(join(tmpdir(), 'lnet-foreign-')), 'socket')
  const unix = createServer(() => {
    connections += 1
  })
  servers.push(unix)
  await new Promise<void>(resolve => unix.listen(path, resolve))
  const node = await startHere()
  const fake = await startNode({ port: await freePort() })
  const addresses = [
    ...[`/ip4/127.0.0.1/tcp/${port}`, `/ip4/127.7.7.7/tcp/${port}`, `/ip4/0.0.0.0/tcp/${port}`],
    ...[`/ip6/::1/tcp/${port}`, `/ip6/::/tcp/${port}`, `/ip6/::ffff:127.0.0.1/tcp/${port}`],
    ...[
      `/dns4/localhost/tcp/${port}`,
      `/dns/rebinding.example.org/tcp/${port}`,
      `/dns6/localhost/tcp/${port}`,
    ],
    ...[`/unix${path}`, `/unix/${encodeURIComponent(path)}`],
  ]
  known = [{ node: fake.gossip.node, addresses, wanted: true }]
  node.gossip.redial()
  await until(
    () => node.gossip.dials().some(({ target, failures }) => target === fake.gossip.node && failures >= 3),
    'given up several times',
  )
  expect(await node.gossip.reaches(fake.gossip.node)).toBe(false)
  expect(await node.gossip.lookForTwin(addresses)).toBe('silence')
  expect(connections).toBe(0)
  expect(node.gossip.neighbours()).toEqual([])
}, 30_000)

it('dials nothing that libp2p learned of addresses by itself', async () => {
  const port = await freePort()
  const other = await startNode({ port })
  const privateKey = privateKeyOf(randomBytes(32))
  const gater = gateOf({
    self: peerIdFromPrivateKey(privateKey).toString() as NodeId,
    connectionsTo: () => [],
    suspects: watchSuspects(() => 0),
    newcomers: createNewcomers(() => 0),
  })
  const own = await freePort()
  const started = await startSwarm(gossipOptions({ port: own }), { ...tcpParts(own), privateKey, gater })
  if (!started.ok) throw new Error('not started')
  const swarm = started.value
  const peer = peerIdFromString(other.gossip.node)
  const address = multiaddr(`/ip4/127.0.0.1/tcp/${port}`)
  // As identify, a signed peer record, or a peer exchange of gossipsub would have it.
  await swarm.peerStore.merge(peer, { multiaddrs: [address], tags: { 'keep-alive': { value: 1 } } })
  await expect(swarm.dial(peer)).rejects.toThrow()
  await expect(swarm.dial(address)).rejects.toThrow('denied')
  await expect(swarm.dial(address.encapsulate(`/p2p/${peer}`))).rejects.toThrow('denied')
  await expect(swarm.dialProtocol(address, '/lnet/sync/1')).rejects.toThrow('denied')
  expect(swarm.getConnections()).toEqual([])
  const revoke = gater.permit(address.toString())
  await swarm.dial(address)
  revoke()
  expect(swarm.getConnections()).toHaveLength(1)
  await swarm.stop()
})

let known: readonly DialCandidate[] = []

/** A node with the gate as it is for a daemon. */
async function startHere() {
  const resolve = async () => ['127.0.0.1', '::1', '::ffff:127.0.0.1']
  const options = { port: await freePort(), resolve, candidates: () => known }
  return startNode({ ...options, admits: admission(gossipOptions(options)) })
}
