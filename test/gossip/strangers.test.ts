import { randomBytes } from 'node:crypto'
import { memory } from '@libp2p/memory'
import { multiaddr } from '@multiformats/multiaddr'
import { afterEach, expect, it } from 'vitest'
import { createForgetting } from '../../src/gossip/strangers.ts'
import { privateKeyOf, type Swarm, startSwarm } from '../../src/gossip/swarm.ts'
import { sentenceOf } from '../../src/model/explanation.ts'
import { gossipOptions, until } from './mesh.ts'

const swarms: Swarm[] = []

afterEach(async () => {
  await Promise.all(swarms.splice(0).map(swarm => swarm.stop()))
})

async function start(): Promise<Swarm> {
  const started = await startSwarm(gossipOptions({}), {
    privateKey: privateKeyOf(randomBytes(32)),
    transports: [memory()],
    listen: [`/memory/stranger-${randomBytes(4).toString('hex')}`],
    gater: {},
  })
  if (!started.ok) throw new Error(sentenceOf(started.failure))
  swarms.push(started.value)
  return started.value
}

it('keeps nothing of nodes that never come back, and all of neighbours', async () => {
  const elder = await start()
  const others = await Promise.all([start(), start(), start(), start()])
  for (const other of others) await elder.dial(multiaddr(`${other.getMultiaddrs()[0]}`))
  const noted = async () => (await elder.peerStore.all()).map(({ id }) => `${id}`)
  expect(await noted()).toHaveLength(4)
  const [stays, ...leaving] = others
  await Promise.all(leaving.map(other => other.stop()))
  await until(() => elder.getPeers().length === 1, 'they are gone')
  const forget = createForgetting(elder)
  await forget()
  await forget()
  expect(await noted()).toEqual([`${stays?.peerId}`])
})

it('keeps a neighbour whose connection ended a moment ago', async () => {
  const [elder, other] = await Promise.all([start(), start()])
  await elder.dial(multiaddr(`${other.getMultiaddrs()[0]}`))
  await other.stop()
  await until(() => elder.getPeers().length === 0, 'it is gone')
  await createForgetting(elder)()
  expect(await elder.peerStore.all()).toHaveLength(1)
})
