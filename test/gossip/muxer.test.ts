import { setTimeout as sleep } from 'node:timers/promises'
import { multiaddrConnectionPair } from '@libp2p/utils'
import { expect, it } from 'vitest'
import { calmYamux } from '../../src/gossip/muxer.ts'

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
