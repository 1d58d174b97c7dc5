import { setTimeout as sleep } from 'node:timers/promises'
import { multiaddrConnectionPair } from '@libp2p/utils'
import { describe, expect, it } from 'vitest'
import { calmYamux } from '../../src/gossip/muxer.ts'
import { connectionAllowance, frameBytesMax, openingAllowance } from '../../src/model/limits.ts'
import { until } from './mesh.ts'

describe('a connection', () => {
  it('ends at a frame that is longer than any window, before it is kept', async () => {
    const { muxer, send } = setUp()
    send(frame({ type: 0, stream: 1, length: 0xff_ff_ff_ff }))
    let sent = 0
    while (muxer.status === 'open' && sent < 4 * frameBytesMax) {
      send(new Uint8Array(60_000))
      sent += 60_000
      await sleep(1)
    }
    expect(muxer.status).not.toBe('open')
    expect(sent).toBeLessThan(frameBytesMax + 5 * 60_000)
  })

  it.each([
    ['pings', { type: 2, flags: 1, stream: 0 }],
    ['streams', { type: 1, flags: 1, stream: 2 }],
  ])('ends when more %s come than any node has use for', async (_, header) => {
    const { muxer, send } = setUp()
    for (let count = 0; count < openingAllowance.piecesBurst; count += 1)
      send(frame({ ...header, stream: header.stream * (count + 1), length: 0 }))
    await sleep(20)
    expect(muxer.status).toBe('open')
    for (let count = 0; count < 10; count += 1)
      send(frame({ ...header, stream: header.stream * 9001, length: 0 }))
    await until(() => muxer.status !== 'open', 'hung up')
  })

  it('is read later when frames without content come faster than any node sends', async () => {
    const { muxer, wire, send } = setUp()
    const many = Buffer.concat(Array.from({ length: 4096 }, () => frame({ type: 0, stream: 1, length: 0 })))
    let held = 0
    const pause = wire.pause.bind(wire)
    wire.pause = () => {
      held += 1
      pause()
    }
    for (let sent = 0; sent < connectionAllowance.piecesBurst; sent += 4096) send(new Uint8Array(many))
    await sleep(20)
    expect(held).toBe(0)
    send(new Uint8Array(many.subarray(0, 12 * 200)))
    await until(() => held > 0, 'held up')
    await until(() => wire.readStatus === 'readable', 'read again')
    expect(muxer.status).toBe('open')
  })
})

function setUp() {
  const [wire, theirs] = multiaddrConnectionPair()
  const muxer = calmYamux({ enableKeepAlive: false })().createStreamMuxer(wire)
  muxer.addEventListener('stream', ({ detail }) => detail.addEventListener('message', () => undefined))
  const send = (bytes: Uint8Array) => {
    if (theirs.status === 'open') theirs.send(bytes)
  }
  return { muxer, wire: wire as typeof wire & { readonly readStatus: string }, send }
}

/** yamux: version, type, flags, stream, length. */
function frame({
  type,
  flags = 0,
  stream,
  length,
}: {
  type: number
  flags?: number
  stream: number
  length: number
}) {
  const header = new DataView(new ArrayBuffer(12))
  header.setUint8(1, type)
  header.setUint16(2, flags)
  header.setUint32(4, stream)
  header.setUint32(8, length)
  return new Uint8Array(header.buffer)
}
