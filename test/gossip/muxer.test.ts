import { setTimeout as sleep } from 'node:timers/promises'
import { multiaddrConnectionPair } from '@libp2p/utils'
import { expect, it } from 'vitest'
import { calmYamux } from '../../src/gossip/muxer.ts'
import { until } from './mesh.ts'

/** A frame of a version that does not exist: yamux aborts at it. */
const broken = new Uint8Array(12).fill(0xff)

it('outlives what it reads from a connection that it cannot write to any more', async () => {
  const [ours, theirs] = multiaddrConnectionPair()
  const muxer = calmYamux({ enableKeepAlive: false })().createStreamMuxer(ours)
  const stream = await muxer.createStream()
  const ended = new Promise(resolve => stream.addEventListener('close', resolve))
  ours.send = () => {
    throw new Error('Cannot write to a stream that is closed')
  }
  const uncaught: unknown[] = []
  const caught = (error: unknown) => uncaught.push(error)
  process.on('uncaughtException', caught)
  theirs.send(broken)
  await ended
  await sleep(10)
  process.off('uncaughtException', caught)
  expect(uncaught).toEqual([])
  expect(muxer.status).not.toBe('open')
})

it('answers short messages by no window update, and long ones so that they never lack window', async () => {
  const [ours, theirs] = multiaddrConnectionPair()
  const create = calmYamux({ enableKeepAlive: false })()
  const [near, far] = [create.createStreamMuxer(ours), create.createStreamMuxer(theirs)]
  let received = 0
  far.addEventListener('stream', ({ detail }) => {
    detail.addEventListener('message', ({ data }) => {
      received += data.byteLength
    })
  })
  let answers = 0
  ours.addEventListener('message', () => {
    answers += 1
  })
  const stream = await near.createStream()
  for (let message = 0; message < 100; message += 1) {
    stream.send(new Uint8Array(500))
    await sleep(1)
  }
  await until(() => received === 50_000, 'short messages')
  // The acknowledgement of the stream.
  expect(answers).toBe(1)

  for (let sent = 0; sent < 40; sent += 1) if (!stream.send(new Uint8Array(64 * 1024))) await stream.onDrain()
  await until(() => received === 50_000 + 40 * 64 * 1024, 'long messages')
  expect(answers).toBeGreaterThan(10)
  expect(answers).toBeLessThan(40)
})
