import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isListening } from '../../src/host/listening.ts'
import { readDroppingChains } from '../../src/kernel/firewall.ts'
import { parsePing } from '../../src/kernel/ping.ts'

describe('what tools say of this machine', () => {
  it('is the time of a ping', () => {
    expect(parsePing('64 bytes from 192.0.2.1: icmp_seq=1 ttl=64 time=0.052 ms\n')).toBe(0.052)
    expect(parsePing('64 bytes from ::1: icmp_seq=1 ttl=64 time=12 ms\n')).toBe(12)
    expect(parsePing('1 packets transmitted, 0 received, 100% packet loss, time 0ms\n')).toBeNull()
  })

  it('is which chains drop by default, ours left out', () => {
    const chain = (table: string, name: string, hook: string, policy: string) => ({
      chain: { family: 'ip', table, name, handle: 1, type: 'filter', hook, prio: 0, policy },
    })
    const nftables = [
      { metainfo: { version: '1.0.6' } },
      chain('filter', 'FORWARD', 'forward', 'drop'),
      chain('filter', 'INPUT', 'input', 'accept'),
      chain('filter', 'OUTPUT', 'output', 'drop'),
      chain('lnet-vlnet0', 'receive', 'input', 'drop'),
      { chain: { family: 'ip', table: 'filter', name: 'DOCKER', handle: 2 } },
    ]
    expect(readDroppingChains(JSON.stringify({ nftables }))).toEqual([
      { name: 'ip filter FORWARD', hook: 'forward' },
    ])
  })

  it('is nothing where it makes no sense', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), text => readDroppingChains(text).length === 0))
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
