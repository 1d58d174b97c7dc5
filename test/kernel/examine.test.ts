import { describe, expect, it } from 'vitest'
import { isListening } from '../../src/host/listening.ts'
import { parsePing } from '../../src/kernel/ping.ts'

describe('what tools say of this machine', () => {
  it('is the time of a ping', () => {
    expect(parsePing('64 bytes from 192.0.2.1: icmp_seq=1 ttl=64 time=0.052 ms\n')).toBe(0.052)
    expect(parsePing('64 bytes from ::1: icmp_seq=1 ttl=64 time=12 ms\n')).toBe(12)
    expect(parsePing('1 packets transmitted, 0 received, 100% packet loss, time 0ms\n')).toBeNull()
  })

  it('is who listens', () => {
    const header = '  sl  local_address rem_address   st tx_queue\n'
    const tcp = `${header}   0: 00000000:CA6D 00000000:0000 0A 00000000:00000000 00:00000000\n`
    expect(isListening(tcp, 'tcp', 51_821)).toBe(true)
    expect(isListening(tcp, 'tcp', 51_820)).toBe(false)
    expect(isListening(tcp.replace(' 0A ', ' 01 '), 'tcp', 51_821)).toBe(false)
    expect(
      isListening(`${header}  1: 00000000000000000000000000000000:CA6C 00:0000 07 0\n`, 'udp', 51_820),
    ).toBe(true)
  })
})
