import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { documents } from '../../src/kernel/readers/fields.ts'
import { readNetworks, routeListings } from '../../src/kernel/readers/networks.ts'
import type { Prefix } from '../../src/model/address.ts'

/** As iproute2 6.1.0 wrote it, in a namespace. */
const links = documents(
  [
    '[{"ifname":"lo","flags":["UP"],"addr_info":[{"family":"inet","local":"127.0.0.1","prefixlen":8}]},',
    '{"ifname":"eth0","flags":["UP"],"addr_info":[{"family":"inet","local":"192.168.102.1","prefixlen":24},',
    '{"family":"inet6","local":"fe80::1","prefixlen":64},{"family":"inet6","local":"fd77:1::1","prefixlen":64}]},',
    '{"ifname":"down0","flags":[],"addr_info":[{"family":"inet","local":"10.1.0.1","prefixlen":24}]},',
    '{"ifname":"br0","flags":["UP"],"addr_info":[{"family":"inet","local":"10.2.0.1","prefixlen":24,"metric":20201}]},',
    '{"ifname":"vlnet0","ifalias":"lnet:x","flags":["UP"],"addr_info":[{"family":"inet","local":"10.3.0.1","prefixlen":24}]},',
    '{"ifname":"a b\\u001b","flags":["UP"],"addr_info":[{"family":"inet","local":"10.4.0.1","address":"10.4.9.9","prefixlen":32}]}]',
  ].join(''),
  1,
)[0]
const routes = documents(
  [
    '[{"type":"unicast","dst":"default","gateway":"192.168.102.254","dev":"eth0","table":"main","protocol":"boot"},',
    '{"type":"unicast","dst":"0.0.0.0/1","gateway":"10.4.9.9","dev":"tun0","table":"main","protocol":"boot"},',
    '{"type":"unicast","dst":"2000::/3","gateway":"fe80::2","dev":"eth0","table":"main","protocol":"ra"},',
    '{"type":"unicast","dst":"10.0.0.0/8","gateway":"192.168.102.9","dev":"eth0","table":"main","protocol":"boot"},',
    '{"type":"unicast","dst":"10.9.0.0/24","table":"main","protocol":"boot","nexthops":[{"dev":"vlnet0"},{"gateway":"192.168.102.8","dev":"eth0"}]},',
    '{"type":"unicast","dst":"10.5.0.0/16","dev":"docker0","table":"main","protocol":"kernel","flags":["linkdown"]},',
    '{"type":"unicast","dst":"172.31.1.1","dev":"eth0","table":"main","protocol":"static"},',
    '{"type":"unreachable","dst":"10.6.0.0/16","table":"main","protocol":"boot"},',
    '{"type":"unicast","dst":"10.7.0.0/16","dev":"vlnet0","table":"main","protocol":"kernel"},',
    '{"type":"unicast","dst":"10.8.0.0/16","dev":"br0","table":"main","protocol":"201"},',
    '{"type":"local","dst":"192.168.102.1","dev":"eth0","table":"local","protocol":"kernel"},',
    '{"type":"unicast","dst":"100.64.0.0/10","dev":"tailscale0","table":"52","protocol":"boot"}]',
  ].join(''),
  1,
)

describe('the networks of others', () => {
  it('are those of addresses, connected and static routes in the main table; default routes are none', () => {
    const found = readNetworks(links, routes, 'lnet:x')
    const texts = found.map(({ network, device, address, isRouted }) =>
      [network, device, address ?? '-', isRouted ? 'routed' : 'on link'].join(' '),
    )
    expect(texts).toEqual([
      '10.4.0.1/32 a?b? 10.4.0.1 on link',
      '192.168.102.0/24 eth0 192.168.102.1 on link',
      'fd77:1::/64 eth0 fd77:1::1 on link',
      '10.4.9.9/32 a?b? - on link',
      '10.5.0.0/16 docker0 - on link',
      '172.31.1.1/32 eth0 - on link',
      '10.0.0.0/8 eth0 - routed',
      '10.9.0.0/24 eth0 - routed',
    ])
  })

  it('are looked for inside and around the mesh’s own', () => {
    expect(routeListings(['10.0.0.0/24' as Prefix])).toEqual([
      'route show table all root 10.0.0.0/24\n',
      'route show table all match 10.0.0.0/24\n',
    ])
  })

  it('are read whatever stands there', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), fc.array(fc.jsonValue()), (some, others) => {
        expect(readNetworks(some, [others], 'lnet:x')).toBeInstanceOf(Array)
      }),
    )
  })
})
