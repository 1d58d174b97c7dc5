import { createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { portHolder, socketsOn } from '../../src/kernel/port-holder.ts'
import { takenPorts, vxlanTaken } from '../../src/kernel/preflight-ports.ts'
import { readVxlans } from '../../src/kernel/readers/vxlans.ts'
import type { StartNeeds } from '../../src/model/examination.ts'

describe('who has a port', () => {
  it.each([
    ['tcp', 51_821, ['17371']],
    ['tcp', 443, []],
    ['udp', 51_821, []],
  ] as const)('is read from the socket table: %s %i', (protocol, port, inodes) => {
    // Columns as /proc/net/tcp has them; the second is an established connection.
    const text = [
      '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
      '   0: 00000000:CA6D 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 17371 1 0 100 0 0 10 0',
      '   1: 0100007F:01BB 0100007F:D431 01 00000000:00000000 00:00000000 00000000     0        0 17372 1 0 20 4 30 10 -1',
    ].join('\n')
    expect(socketsOn(text, protocol, port)).toEqual(inodes)
  })

  it('is named with its process', async () => {
    const server = createServer()
    await new Promise<void>(resolve => server.listen(0, resolve))
    const { port } = server.address() as { port: number }
    expect((await portHolder('tcp', port))?.by).toMatch(new RegExp(`\\(process ${process.pid}\\)$`))
    const needs = {
      tunnel: { interface: 'lo', port: 1, implementation: null, prefix: null },
      gossipPort: port,
      segments: [],
    } as unknown as StartNeeds
    const [failure] = await takenPorts(needs)
    expect(failure).toMatchObject({
      what: expect.stringMatching(
        new RegExp(`^TCP port ${port} is taken by .* \\(process ${process.pid}\\)$`),
      ),
      remedy: 'end that, or set another gossip.port',
    })
    await new Promise(resolve => server.close(resolve))
    expect(await portHolder('tcp', port)).toBeNull()
  })
})

describe('VXLAN devices of others', () => {
  const link = (ifname: string, data: object) => ({
    ifname,
    linkinfo: { info_kind: 'vxlan', info_data: data },
  })

  it('are read with their VNI and port, odd ones passed over', () => {
    const output = JSON.stringify([
      link('cilium_vxlan', { external: true, port: 4789 }),
      link('vx7', { id: 7, port: 8472 }),
      link('odd', { id: 'x' }),
      { ifname: 'none' },
      {},
    ])
    expect(readVxlans(output)).toEqual({
      ok: true,
      value: [
        { interface: 'cilium_vxlan', vni: null, port: 4789 },
        { interface: 'vx7', vni: 7, port: 8472 },
      ],
    })
    expect(readVxlans('')).toEqual({ ok: true, value: [] })
    expect(readVxlans('[').ok).toBe(false)
  })

  it.each([
    [
      'an external one on the port',
      { interface: 'c', vni: null, port: 4789 },
      'UDP port 4789 of segment vlnet0 is taken by VXLAN device c',
    ],
    [
      'one with the same VNI and port',
      { interface: 'c', vni: 100, port: 4789 },
      'VNI 100 on UDP port 4789 of segment vlnet0 is taken by VXLAN device c',
    ],
    ['one with another VNI', { interface: 'c', vni: 7, port: 4789 }, null],
    ['one on another port', { interface: 'c', vni: null, port: 8472 }, null],
  ])('are in the way or not: %s', (_, other, what) => {
    const segment = { interface: 'vlnet0', vni: 100, port: 4789 } as unknown as StartNeeds['segments'][number]
    expect(vxlanTaken(segment, [other])[0]?.what ?? null).toBe(what)
  })
})
