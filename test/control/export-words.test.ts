import { describe, expect, it } from 'vitest'
import { strangeValue } from '../../src/control/export-words.ts'
import type { PeersView, StatusView } from '../../src/control/protocol.ts'
import { statusView } from '../../src/control/status-view.ts'
import { peersView } from '../../src/control/views.ts'
import { member, snapshot, track } from './snapshots.ts'

const given = snapshot([member(2), member(3)], [track(2), track(3)])
const views = (): [PeersView, StatusView] =>
  JSON.parse(JSON.stringify([peersView(given), statusView(given)])) as [PeersView, StatusView]

/** Puts a value at a path such as `0.peers.0.vtep`. */
function changed(path: string, value: unknown): [PeersView, StatusView] {
  const root = views()
  const keys = path.split('.')
  const last = keys.pop() as string
  let place = root as unknown as Record<string, unknown>
  for (const key of keys) place = place[key] as Record<string, unknown>
  place[last] = value
  return root
}

describe('what an exported file takes from the daemon', () => {
  it('is taken when it is what it should be', () => {
    expect(strangeValue(...views())).toBeNull()
  })

  it.each([
    ['1.segments.0.interface', 'vlnet0; reboot'],
    ['1.segments.0.interface', 'v\nPostUp = reboot'],
    ['1.segments.0.vni', '1 dstport 1; reboot'],
    ['1.segments.0.port', '4789; reboot'],
    ['1.segments.0.mtu', '1370$(reboot)'],
    ['1.tunnel.addresses.0', '192.168.228.1/24\nPostUp = reboot'],
    ['1.tunnel.port', '51820\nPostUp = reboot'],
    ['1.tunnel.mtu', '1420\nPostUp = reboot'],
    ['0.self.name', 'a\nPostUp = reboot'],
    ['0.self.vtep', '192.168.228.1`reboot`'],
    ['0.self.mtu', -1],
    ['0.self.segments.0.mac', '02:00:00:00:00:01; reboot'],
    ['0.self.segments.0.addresses.0', '192.168.102.1/24 dev eth0'],
    ['0.peers.0.vtep', '192.168.228.2 dev x; reboot'],
    ['0.peers.0.public_key', 'x\nPostUp = reboot'],
    ['0.peers.0.endpoint', '203.0.113.2:51820\nPostUp = reboot'],
    ['0.peers.1.name', { toString: 1 }],
    ['0.peers.1.segments.0.vni', null],
  ])('is refused with its place: %s', (path, value) => {
    const place = path.slice(2).replaceAll(/\.(\d+)/g, '[$1]')
    expect(strangeValue(...changed(path, value))).toMatch(
      new RegExp(`^${place.split(/[.[]/)[0]}.*${path.split('.').findLast(key => !/^\d+$/.test(key))}`),
    )
  })
})
