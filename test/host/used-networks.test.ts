import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { freeNetwork, overlapOf, usedNetworks } from '../../src/host/used-networks.ts'
import type { Prefix } from '../../src/model/address.ts'

const route = `Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\tFE66A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
tun0\t00000000\t0100080A\t0003\t0\t0\t0\t00000080\t0\t0\t0
docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
eth0\t0066A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
`

describe('the networks in use', () => {
  it('are those of routes and addresses; default routes and their halves are none', () => {
    const cidrs = [
      { device: 'eth0:1', cidr: '198.51.100.7/25' },
      { device: 'eth0', cidr: 'fd00::1/64' },
    ]
    expect(usedNetworks(route, cidrs)).toEqual([
      { network: '198.51.100.0/25', device: 'eth0' },
      { network: '172.17.0.0/16', device: 'docker0' },
      { network: '192.168.102.0/24', device: 'eth0' },
    ])
  })

  it('are read from any text', () => {
    fc.assert(fc.property(fc.string(), text => void usedNetworks(`${text}\n${route}`, [])))
  })

  it('leave a network free, or none', () => {
    const wanted = '192.168.102.0/24' as Prefix
    const used = (...networks: string[]) =>
      networks.map(network => ({ network: network as Prefix, device: 'eth0' }))
    expect(freeNetwork(wanted, used('10.0.0.0/8'))).toBe(wanted)
    expect(freeNetwork(wanted, usedNetworks(route, []))).toBe('192.168.103.0/24')
    expect(freeNetwork(wanted, used('192.168.0.0/16', '10.0.0.0/8'))).toBe('172.31.103.0/24')
    expect(freeNetwork(wanted, used('192.168.0.0/16', '10.0.0.0/8', '172.16.0.0/12'))).toBeNull()
    expect(overlapOf(wanted, used('192.168.102.9/32'))).toEqual({
      network: '192.168.102.9/32',
      device: 'eth0',
    })
  })
})
