import { describe, expect, it } from 'vitest'
import { decide, type Situation } from '../../src/mesh/decide.ts'
import type { InterfaceAddress, InterfaceName, IpAddress, Prefix } from '../../src/model/address.ts'
import type { Announcement } from '../../src/model/announcement.ts'
import type { BridgeConfiguration } from '../../src/model/configuration.ts'
import { describeStep } from '../../src/model/describe-step.ts'
import { type BridgeFacts, emptyKernelState, type KernelState } from '../../src/model/kernel-state.ts'
import { claimSinceSecondsMin } from '../../src/model/limits.ts'
import type { Vni } from '../../src/model/segment.ts'
import { settled } from './settled.ts'
import {
  announcement,
  bridgeFacts,
  configuration,
  facts,
  member,
  nodeId,
  observation,
  proofs,
  publicKey,
  segmentConfiguration,
  situation,
  sure,
  tunnelConfiguration,
  vni,
  vtepOf,
  wallSeconds,
} from './world.ts'

describe('a node with two members', () => {
  const two = situation(1, [member(2), member(3)])

  it('should be this', () => {
    expect(desiredOf(two)).toMatchInlineSnapshot(`
      {
        "bridges": [],
        "detours": [],
        "gateway": null,
        "loopWatches": [],
        "routes": [
          {
            "device": "vlnet0",
            "prefix": "192.168.102.0/24",
          },
          {
            "device": null,
            "prefix": "fd60:a1ff:9a6c:e826::/64",
          },
          {
            "device": "lnet0",
            "prefix": "fd60:a1ff:9a6c:e826::/64",
          },
          {
            "device": "vlnet0",
            "prefix": "fd88:43dc:bb57:32c9::/64",
          },
        ],
        "rules": [],
        "segments": [
          {
            "addresses": [
              "192.168.102.25/24",
              "fd88:43dc:bb57:32c9:675c:5f6:92c5:37bc/64",
            ],
            "ageingSeconds": 300,
            "bridge": null,
            "flood": [
              "fd60:a1ff:9a6c:e826:6269:8d83:bb37:793c",
              "fd60:a1ff:9a6c:e826:e832:84d2:eb6f:4bcd",
            ],
            "floodLimit": 10000,
            "guard": {
              "exempt": [],
              "port": 4789,
              "privileged": true,
              "tunnel": "lnet0",
              "vteps": "fd60:a1ff:9a6c:e826::/64",
            },
            "interface": "vlnet0",
            "ipv6": true,
            "learned": false,
            "local": "fd60:a1ff:9a6c:e826:675c:5f6:92c5:37bc",
            "lower": "lnet0",
            "mac": "9e:c9:b8:47:c5:83",
            "mtu": 1350,
            "neighbours": [
              {
                "address": "192.168.102.2",
                "mac": "22:7e:93:45:87:97",
              },
              {
                "address": "192.168.102.3",
                "mac": "22:97:26:8c:a6:ea",
              },
              {
                "address": "fd88:43dc:bb57:32c9:6269:8d83:bb37:793c",
                "mac": "22:97:26:8c:a6:ea",
              },
              {
                "address": "fd88:43dc:bb57:32c9:e832:84d2:eb6f:4bcd",
                "mac": "22:7e:93:45:87:97",
              },
            ],
            "port": 4789,
            "portMacs": [],
            "privileged": true,
            "suppression": false,
            "trusts": "none",
            "unicast": [
              {
                "mac": "22:7e:93:45:87:97",
                "vtep": "fd60:a1ff:9a6c:e826:e832:84d2:eb6f:4bcd",
              },
              {
                "mac": "22:97:26:8c:a6:ea",
                "vtep": "fd60:a1ff:9a6c:e826:6269:8d83:bb37:793c",
              },
            ],
            "up": true,
            "vni": 49371,
          },
        ],
        "strayGuards": [],
        "strayLimits": [],
        "tunnel": {
          "addresses": [
            "fd60:a1ff:9a6c:e826:675c:5f6:92c5:37bc/64",
          ],
          "interface": "lnet0",
          "ipv6": true,
          "learned": false,
          "listenPort": 51820,
          "mtu": 1420,
          "peers": [
            {
              "allowedIps": [
                "fd60:a1ff:9a6c:e826:e832:84d2:eb6f:4bcd/128",
              ],
              "endpoint": "203.0.0.2:51820",
              "keepaliveSeconds": 25,
              "presharedKey": "0000000200000000",
              "publicKey": "AAAAAgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
            },
            {
              "allowedIps": [
                "fd60:a1ff:9a6c:e826:6269:8d83:bb37:793c/128",
              ],
              "endpoint": "203.0.0.3:51820",
              "keepaliveSeconds": 25,
              "presharedKey": "0000000300000000",
              "publicKey": "AAAAAwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
            },
          ],
          "publicKey": "AAAAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
          "trusts": "none",
          "up": true,
        },
      }
    `)
  })

  it('has no flood limit where none is asked for, or where the kernel cannot', () => {
    const limitOf = (changes: object) => decide({ ...two, ...changes }).desired?.segments[0]?.floodLimit
    const segments = [segmentConfiguration({ floodLimit: null })]
    expect(limitOf({})).toBe(10_000)
    expect(limitOf({ configuration: { ...two.configuration, segments } })).toBeNull()
    expect(limitOf({ observation: { ...two.observation, limitsFloods: false } })).toBeNull()
  })

  it('gets there by this plan', () => {
    expect(decide(two).plan.map(describeStep)).toMatchInlineSnapshot(`
      [
        "create tunnel lnet0, mtu 1420",
        "set key AAAAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= and port 51820 on lnet0",
        "set WireGuard peer AAAAAgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= (fd60:a1ff:9a6c:e826:e832:84d2:eb6f:4bcd/128) at 203.0.0.2:51820 on lnet0",
        "set WireGuard peer AAAAAwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= (fd60:a1ff:9a6c:e826:6269:8d83:bb37:793c/128) at 203.0.0.3:51820 on lnet0",
        "create segment vlnet0, vni 49371, port 4789, mtu 1350, over lnet0 from fd60:a1ff:9a6c:e826:675c:5f6:92c5:37bc",
        "guard VXLAN port 4789 for vlnet0: only by lnet0",
        "flood at most 10000 frames per second from vlnet0",
        "ignore router advertisements and redirects on lnet0",
        "ignore router advertisements and redirects on vlnet0",
        "switch IPv6 on for lnet0",
        "switch IPv6 on for vlnet0",
        "add address fd60:a1ff:9a6c:e826:675c:5f6:92c5:37bc/64 to lnet0",
        "add address 192.168.102.25/24 to vlnet0",
        "add address fd88:43dc:bb57:32c9:675c:5f6:92c5:37bc/64 to vlnet0",
        "bring lnet0 up",
        "bring vlnet0 up",
        "add route fd60:a1ff:9a6c:e826::/64 by lnet0",
        "add route 192.168.102.0/24 by vlnet0",
        "add unreachable route fd60:a1ff:9a6c:e826::/64",
        "add route fd88:43dc:bb57:32c9::/64 by vlnet0",
        "know 192.168.102.2 as MAC 22:7e:93:45:87:97 on vlnet0",
        "know 192.168.102.3 as MAC 22:97:26:8c:a6:ea on vlnet0",
        "know fd88:43dc:bb57:32c9:6269:8d83:bb37:793c as MAC 22:97:26:8c:a6:ea on vlnet0",
        "know fd88:43dc:bb57:32c9:e832:84d2:eb6f:4bcd as MAC 22:7e:93:45:87:97 on vlnet0",
        "reach MAC 22:7e:93:45:87:97 by VTEP fd60:a1ff:9a6c:e826:e832:84d2:eb6f:4bcd on vlnet0",
        "reach MAC 22:97:26:8c:a6:ea by VTEP fd60:a1ff:9a6c:e826:6269:8d83:bb37:793c on vlnet0",
        "flood to VTEP fd60:a1ff:9a6c:e826:6269:8d83:bb37:793c on vlnet0",
        "flood to VTEP fd60:a1ff:9a6c:e826:e832:84d2:eb6f:4bcd on vlnet0",
      ]
    `)
  })

  it('is there after it', () => {
    expect(decide(settled(two)).plan).toEqual([])
  })
})

describe('a node', () => {
  it('alone has its devices and no peer', () => {
    const { tunnel, segments } = desiredOf(situation(1))
    expect([tunnel?.peers, segments[0]?.flood]).toEqual([[], []])
  })

  it('without a VTEP leaves the kernel as it is', () => {
    const prefix = '192.168.228.0/24' as Prefix
    const waiting = situation(1, [member(2)], {
      configuration: configuration(1, { tunnel: tunnelConfiguration({ prefix }) }),
      mayChoose: false,
    })
    expect(decide(waiting)).toMatchObject({ desired: null, plan: [] })
  })

  it('whose pinned VTEP another owns takes its devices down and stays announced', () => {
    const address = '192.168.228.9' as IpAddress
    const tunnel = tunnelConfiguration({ prefix: '192.168.228.0/24' as Prefix, address })
    const other = member(2, { vtep: address, vtepClaim: { since: claimSinceSecondsMin, pinned: true } })
    const decision = decide(situation(1, [other], { configuration: configuration(1, { tunnel }) }))
    expect(decision.desired).toEqual(emptyKernelState)
    expect(decision.claims.vtep?.address).toBe(address)
  })

  it('does not bring a pinned overlay address up that another owns', () => {
    const written = '192.168.102.9/24' as InterfaceAddress
    const config = configuration(1, { segments: [segmentConfiguration({ addresses: [written] })] })
    const address = { address: written, since: claimSinceSecondsMin, pinned: true }
    const { desired, lost } = decide(situation(1, [holding(2, [address])], { configuration: config }))
    expect(desired?.segments[0]?.addresses).toEqual([expect.stringMatching(/^fd88:/)])
    expect(lost.map(({ owner }) => owner)).toEqual([nodeId(2)])
  })
})

describe('a segment in a bridge', () => {
  const name = 'br0' as InterfaceName
  const wanted = (changes: Partial<BridgeConfiguration> = {}) => ({
    configuration: configuration(1, {
      segments: [segmentConfiguration({ bridge: { name, create: false, allowLoopRisk: false, ...changes } })],
    }),
  })
  const beside = (...bridges: readonly BridgeFacts[]) => ({
    observation: observation(emptyKernelState, [], bridges),
  })

  it('leaves its addresses to it, which answers for the members', () => {
    const { segments, bridges, routes } = desiredOf(
      situation(1, [member(2)], { ...wanted(), ...beside(bridgeFacts()) }),
    )
    const macs = announcement(2).segments.map(({ mac }) => mac)
    expect(segments[0]).toMatchObject({ bridge: name, suppression: true, portMacs: macs })
    expect(segments[0]).toMatchObject({ addresses: [], neighbours: [] })
    expect(bridges).toEqual([
      {
        interface: name,
        mac: null,
        up: true,
        trusts: 'none',
        learned: false,
        addresses: ['192.168.102.25/24', expect.stringMatching(/^fd88:/)],
        neighbours: [
          { address: '192.168.102.2', mac: macs[0] },
          { address: expect.stringMatching(/^fd88:/), mac: macs[0] },
        ],
      },
    ])
    expect(routes.map(({ device }) => device)).toEqual([name, null, 'lnet0', name])
  })

  it('has it made where that is asked for', () => {
    const { segments, bridges } = desiredOf(situation(1, [], wanted({ create: true })))
    expect(bridges[0]).toMatchObject({ interface: name, mac: segments[0]?.mac })
    const there = settled(situation(1, [], wanted({ create: true })))
    expect(decide({ ...there, ...beside(bridgeFacts({ own: true })) }).dueAt).toBe(Number.POSITIVE_INFINITY)
  })

  it.each<[string, readonly BridgeFacts[], Partial<BridgeConfiguration>, boolean]>([
    ['is missing', [], {}, false],
    ['is down', [bridgeFacts({ up: false })], {}, false],
    ['has a cable', [bridgeFacts({ physicalPorts: ['eth1'] })], {}, false],
    ['has a cable and STP', [bridgeFacts({ physicalPorts: ['eth1'], stp: true })], {}, true],
    [
      'has a cable, which the operator allows',
      [bridgeFacts({ physicalPorts: ['eth1'] })],
      { allowLoopRisk: true },
      true,
    ],
  ])('when it %s', (_, bridges, changes, goesIn) => {
    const given = situation(1, [], { ...wanted(changes), ...beside(...bridges) })
    const { segments } = desiredOf(given)
    expect(segments[0]).toMatchObject({ bridge: goesIn ? name : null })
    expect(segments[0]?.addresses.length).toBe(goesIn ? 0 : 2)
  })

  it('is watched for loops where a cable is allowed, also while it is kept out', () => {
    const given = {
      ...wanted({ allowLoopRisk: true }),
      ...beside(bridgeFacts({ physicalPorts: ['eth1'] })),
    }
    const watches = [{ interface: 'vlnet0', ports: ['eth1'] }]
    expect(desiredOf(situation(1, [], given)).loopWatches).toEqual(watches)
    const out = desiredOf(situation(1, [], { ...given, keptOut: new Set([vni]) }))
    expect(out.loopWatches).toEqual(watches)
    expect(out.segments[0]).toMatchObject({ bridge: null, addresses: [expect.anything(), expect.anything()] })
    expect(out.bridges).toEqual([])
    const observed = { ...given.observation, watchesLoops: false }
    expect(desiredOf(situation(1, [], { ...given, observation: observed })).loopWatches).toEqual([])
  })

  it('that is kept out leaves a bridge of our own to the machines on it', () => {
    const own = bridgeFacts({ own: true, physicalPorts: ['eth1'] })
    const given = { ...wanted({ create: true, allowLoopRisk: true }), ...beside(own) }
    const { segments, bridges } = desiredOf(situation(1, [], { ...given, keptOut: new Set([vni]) }))
    expect(segments[0]?.bridge).toBeNull()
    expect(bridges).toMatchObject([{ interface: name, mac: segments[0]?.mac, up: true, addresses: [] }])
  })
})

describe('members', () => {
  it('that are in another segment only get a tunnel', () => {
    const elsewhere = member(2, { segments: [{ ...sure(announcement(2).segments[0]), vni: 7 as Vni }] })
    const { tunnel, segments } = desiredOf(situation(1, [elsewhere]))
    expect(tunnel?.peers[0]?.allowedIps).toEqual([`${vtepOf(2)}/128`])
    expect(segments[0]).toMatchObject({ flood: [], unicast: [], neighbours: [] })
  })

  it('with a VTEP outside our network are peers without addresses', () => {
    const outside = member(2, { vtep: '192.168.228.2' as IpAddress })
    const { tunnel, segments } = desiredOf(situation(1, [outside]))
    expect(tunnel?.peers[0]?.allowedIps).toEqual([])
    expect(segments[0]?.flood).toEqual([])
  })

  it('that claim one VTEP get it one at a time', () => {
    const prefix = '192.168.228.0/24' as Prefix
    const tunnel = tunnelConfiguration({ prefix })
    const vtep = '192.168.228.7' as IpAddress
    const rivals = [
      member(2, { vtep, vtepClaim: { since: claimSinceSecondsMin + 20, pinned: false } }),
      member(3, { vtep, vtepClaim: { since: claimSinceSecondsMin + 10, pinned: false } }),
    ]
    const desired = desiredOf(situation(1, rivals, { configuration: configuration(1, { tunnel }) }))
    expect(desired.tunnel?.peers.map(({ publicKey: key, allowedIps }) => [key, allowedIps])).toEqual([
      [publicKey(2), []],
      [publicKey(3), ['192.168.228.7/32']],
    ])
    expect(desired.segments[0]?.flood).toEqual([vtep])
  })

  it.each(['192.168.228.0', '192.168.228.255'])('do not get VTEP %s, which is no host', text => {
    const tunnel = tunnelConfiguration({ prefix: '192.168.228.0/24' as Prefix })
    const odd = member(2, { vtep: text as IpAddress })
    const { segments } = desiredOf(situation(1, [odd], { configuration: configuration(1, { tunnel }) }))
    expect(segments[0]?.flood).toEqual([])
  })

  it.each([
    ['the broadcast address', '192.168.102.255/24'],
    ['the network itself', '192.168.102.0/24'],
    ['an address of another network', '10.0.0.1/24'],
    ['an address of a wider network', '192.168.103.7/16'],
    ['a group', '224.0.0.1/4'],
  ])('do not get %s as a neighbour entry', (_, text) => {
    const liar = holding(2, [{ address: text as InterfaceAddress, since: 0, pinned: true }])
    expect(desiredOf(situation(1, [liar])).segments[0]?.neighbours).toEqual([])
  })

  it('with a smaller MTU are followed, but not below what IPv6 needs in the segment', () => {
    const mtus = (mtu: number) => {
      const { tunnel, segments } = desiredOf(situation(1, [member(2, { mtu }), member(3)]))
      return [tunnel?.mtu, segments[0]?.mtu]
    }
    expect(mtus(9000)).toEqual([1420, 1350])
    expect(mtus(1412)).toEqual([1412, 1342])
    expect(mtus(1280)).toEqual([1350, 1280])
  })
})

describe('the MTU before the mesh was heard', () => {
  it('is not raised over what the tunnel has', () => {
    const narrow = settled(situation(1, [member(2, { mtu: 1400 })]))
    const restarted = { ...narrow, membership: new Map(), tracks: new Map() }
    expect(decide({ ...restarted, warm: false }).desired?.tunnel?.mtu).toBe(1400)
    expect(decide(restarted).desired?.tunnel?.mtu).toBe(1420)
    expect(decide(situation(1, [], { warm: false })).desired?.tunnel?.mtu).toBe(1420)
    const slower = { ...restarted, facts: facts(1, { pathMtu: 1450 }), warm: false }
    expect(decide(slower).desired?.tunnel?.mtu).toBe(1370)
  })
})

describe('several segments', () => {
  it('each have their own members, in one tunnel', () => {
    const second = segmentConfiguration({ interface: 'vlnet1' as InterfaceName, vni: 7 as Vni, prefixes: [] })
    const config = configuration(1, { segments: [second, segmentConfiguration()] })
    const both = member(2, {
      segments: [
        { ...sure(announcement(2).segments[0]), vni: 7 as Vni, addresses: [] },
        ...announcement(2).segments,
      ],
    })
    const { segments } = desiredOf(situation(1, [both, member(3)], { configuration: config }))
    expect(segments.map(each => [each.interface, each.vni, each.flood])).toEqual([
      ['vlnet0', vni, [vtepOf(2), vtepOf(3)].sort()],
      ['vlnet1', 7, [vtepOf(2)]],
    ])
  })
})

describe('IPv4 VTEPs', () => {
  it('are chosen, kept and moved like overlay addresses', () => {
    const tunnel = tunnelConfiguration({ prefix: '192.168.228.0/24' as Prefix })
    const first = settled(situation(1, [], { configuration: configuration(1, { tunnel }) }))
    const vtep = sure(first.claims.vtep)
    expect(first.observation.state.tunnel?.addresses).toEqual([`${vtep.address}/24`])
    const rival = member(2, { vtep: vtep.address, vtepClaim: { since: wallSeconds - 1, pinned: false } })
    const moved = settled({ ...first, membership: new Map([[nodeId(2), rival]]), proofs: proofs(rival) })
    expect(moved.claims.vtep?.address).not.toBe(vtep.address)
    expect(moved.observation.state.segments[0]?.local).toBe(moved.claims.vtep?.address)
    expect(moved.observation.state.segments[0]?.flood).toEqual([vtep.address])
    expect(decide(moved).plan).toEqual([])
  })
})

function desiredOf(given: Situation): KernelState {
  return sure(decide(given).desired)
}

function holding(number: number, addresses: Announcement['segments'][number]['addresses']) {
  return member(number, { segments: [{ ...sure(announcement(number).segments[0]), addresses }] })
}
