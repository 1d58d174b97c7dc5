import packet from 'dns-packet'
import { describe, expect, it } from 'vitest'
import { isModestPacket, modestSocket } from '../../src/gossip/multicast-socket.ts'
import { multicastPacketBytesMax, multicastPacketsPerSecondMax } from '../../src/model/limits.ts'

const service = '_lnet-0011223344556677._tcp.local'
const question = packet.encode({ type: 'query', questions: [{ name: service, type: 'PTR' }] })

describe('a packet of multicast DNS', () => {
  it('is decoded when a node of the mesh could have sent it', () => {
    const name = `12D3KooW${'A'.repeat(44)}.${service}`
    const answers = [
      { name: service, type: 'PTR' as const, ttl: 120, data: name },
      { name, type: 'TXT' as const, ttl: 120, data: ['/ip4/192.168.100.100/tcp/51821'] },
    ]
    expect(isModestPacket(question)).toBe(true)
    expect(isModestPacket(packet.encode({ type: 'response', answers }))).toBe(true)
  })

  it('is not when it is long, holds many records or is none', () => {
    const questions = Array.from({ length: 17 }, () => ({ name: 'a.local', type: 'PTR' as const }))
    expect(isModestPacket(packet.encode({ type: 'query', questions }))).toBe(false)
    expect(isModestPacket(Buffer.concat([question, Buffer.alloc(multicastPacketBytesMax)]))).toBe(false)
    expect(isModestPacket(question.subarray(0, 11))).toBe(false)
  })

  it('is not when too many came before it', () => {
    let now = 0
    const socket = modestSocket(() => now)
    let heard = 0
    socket.on('message', () => {
      heard += 1
    })
    const say = (times: number) => {
      for (let time = 0; time < times; time += 1) socket.emit('message', question, {} as never)
      const before = heard
      heard = 0
      return before
    }
    expect(say(1000)).toBe(multicastPacketsPerSecondMax)
    now = 500
    expect(say(1000)).toBe(multicastPacketsPerSecondMax / 2)
    socket.close()
  })
})
